"""Clients of the ingest API that send continuously, retry with the same ids, and record the outcomes."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count, islice
from math import inf

import httpx

from support.scenarios.ledger import HOUR_MS, Action, Ledger

ANSWER_WITHIN = 40.0
"""Seconds: longer than the API's own bound."""


def synthetic_actions(
    seed: int, now: int, *, late_hours: int = 48, users: int = 2_000, repeats: float = 0.0
) -> Iterator[Action]:
    """Endless actions, 95 % in the current hour; `repeats`: the share that repeats earlier ones and their ids."""
    rng = random.Random(seed)
    current = now // HOUR_MS * HOUR_MS
    earlier: list[Action] = []
    for number in count():
        if earlier and rng.random() < repeats:
            action = rng.choice(earlier)
        else:
            late = rng.random() < 0.05
            timestamp = current - rng.randrange(1, late_hours * HOUR_MS) if late else rng.randint(current, now)
            user, event = f"user-{rng.randrange(users)}", rng.choice(["click", "impression"])
            action = {"timestamp": timestamp, "user": user, "event": event, "id": f"{seed}-{number}"}
            if repeats and len(earlier) < 5_000:
                earlier.append(action)
        yield action


class Clients:
    """After an unknown outcome some batches are given up; all others are retried until acknowledged."""

    def __init__(
        self, urls: Callable[[], Sequence[str]], ledger: Ledger, actions: Iterator[Action], *, seed: int = 0
    ) -> None:
        self._urls = urls
        self._ledger = ledger
        self._actions = actions
        self._rng = random.Random(seed)
        self._enough = asyncio.Event()
        self._due = 0.0
        """When the next batch of any of them is due, where they keep to a rate."""

    @asynccontextmanager
    async def sending(
        self, *, concurrency: int = 2, batch: int = 200, pause: float = 0.1, rate: float = inf
    ) -> AsyncIterator[None]:
        """They send for as long as the block runs; afterwards each finishes its last batch.

        `pause`: seconds between an answer and the next batch; `rate`: actions a second of all together, at most.
        """
        self._due = time.monotonic()
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN) as http, asyncio.TaskGroup() as tasks:
            for _ in range(concurrency):
                tasks.create_task(self._send_on(http, batch, pause, batch / rate))
            try:
                yield
            finally:
                self._enough.set()

    async def deliver(self, batch: Sequence[Action]) -> None:
        """Returns once it is acknowledged."""
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN) as http:
            await self._deliver(http, batch, gives_up=False)

    async def _send_on(self, http: httpx.AsyncClient, batch: int, pause: float, apart: float) -> None:
        while not self._enough.is_set():
            self._due += apart
            await asyncio.sleep(max(0.0, self._due - time.monotonic()))
            await self._deliver(http, list(islice(self._actions, batch)), gives_up=self._rng.random() < 0.2)
            await asyncio.sleep(pause)

    async def _deliver(self, http: httpx.AsyncClient, batch: Sequence[Action], *, gives_up: bool) -> None:
        for number in count():
            urls = self._urls()
            outcome = await self._post(http, urls[number % len(urls)], batch)
            if outcome == "acknowledged" or (gives_up and outcome == "unknown"):
                return
            await asyncio.sleep(0.2)

    async def _post(self, http: httpx.AsyncClient, url: str, batch: Sequence[Action]) -> str:
        body = "\n".join(map(json.dumps, batch)).encode()
        self._ledger.sending(batch)
        try:
            answer = await http.post(
                f"{url}/v1/actions", content=body, headers={"content-type": "application/x-ndjson"}
            )
        except httpx.ConnectError:
            outcome = "not connected"
        except httpx.TransportError:
            outcome = "unknown"
        else:
            outcome = _outcome(answer, len(batch))
        self._ledger.was_answered(batch, outcome)
        return outcome


def _outcome(answer: httpx.Response, lines: int) -> str:
    if answer.status_code == HTTPStatus.OK:
        assert answer.json() == {"accepted": lines, "rejected": []}
        return "acknowledged"
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
    return str(answer.json()["outcome"])
