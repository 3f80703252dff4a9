"""The local stack, with traffic, and with outages made for real."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from support.end_to_end.secure_stack import SecureStack


class WatchedStack(SecureStack):
    """A stack with one worker, whose processes are sent signals."""

    @contextmanager
    def killed_worker(self) -> Iterator[None]:
        """The only one."""
        self.send("worker-1", signal.SIGKILL)
        try:
            yield
        finally:
            self("scale", "workers", "1")

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """An action after the other, whatever is answered; the first one breaks a rule."""
        done = threading.Event()

        def send() -> None:
            number = 0
            with httpx.Client(verify=self.trusting, headers=self.key, trust_env=False) as client:
                while not done.wait(0.2):
                    number += 1
                    action: dict[str, Any] = {
                        "timestamp": time.time_ns() // 10**6,
                        "user": f"u{number}",
                        "event": "click",
                    }
                    if number == 1:
                        action["event"] = "NO EVENT"
                    try:
                        client.post(f"{self.url}/analytics", params=action, timeout=2)
                        client.get(f"{self.url}/analytics", params={"timestamp": action["timestamp"]}, timeout=2)
                    except httpx.HTTPError:
                        continue

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            done.set()
            sender.join()
