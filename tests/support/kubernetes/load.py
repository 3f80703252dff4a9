"""Clients that send and read for as long as a block runs."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Self

import httpx

from support.end_to_end.oracle import HOUR_MS
from support.kubernetes.stack import Stack

_SENDERS: Final = 4
_PAUSE_SECONDS: Final = 0.05
"""The machine has other things to do: nodes, for example."""


class Load:
    """Sends single actions of one hour, and reads that hour; each request has a connection of its own."""

    def __init__(self, stack: Stack, hour: int) -> None:
        """`hour`: ms since the epoch."""
        self._stack, self._hour = stack, hour
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=[seed]) for seed in range(_SENDERS)]
        self._threads.append(threading.Thread(target=self._read))
        self.acknowledged: list[dict[str, Any]] = []
        self.failed: list[str] = []
        self.read = 0
        """Answers that were given."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, seed: int) -> None:
        draw = random.Random(seed)
        with self._stack.client() as client:
            while not self._over.wait(_PAUSE_SECONDS):
                action = {
                    "timestamp": self._hour + draw.randrange(HOUR_MS),
                    "user": f"user-{draw.randrange(100)}",
                    "event": draw.choice(["click", "impression"]),
                }
                url = f"{self._stack.ingest}/analytics"
                if self._succeeds(lambda url=url, action=action: client.post(url, params=action)):
                    self.acknowledged.append(action)

    def _read(self) -> None:
        url = f"{self._stack.aggregator}/analytics"
        with self._stack.client() as client:
            while not self._over.wait(_PAUSE_SECONDS):
                self.read += self._succeeds(lambda: client.get(url, params={"timestamp": self._hour}))

    def _succeeds(self, request: Callable[[], httpx.Response]) -> bool:
        at = time.strftime("%H:%M:%S")
        try:
            answer = request()
        except httpx.HTTPError as error:
            self.failed.append(f"{at} {error.request.method}: {type(error).__name__}: {error}")
            return False
        if not answer.is_success:
            self.failed.append(f"{at} {answer.request.method}: {answer.status_code} {answer.text}")
        return answer.is_success
