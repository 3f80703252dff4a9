"""Ctrl-C, SIGTERM and SIGHUP as something to look at, so that they break nothing off half-done."""

import os
import select
import signal
import socket
from types import FrameType
from typing import Self

from deploy.local.errors import LocalError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(LocalError):
    """Somebody asked to stop."""


class Interruption:
    """While this context is open the signals only set `asked`; a second one only tells that stopping is under way."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)  # noqa: FBT003 # the standard library's signature
        self._previous_waker = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._previous_waker)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._woken.close()
        self._waker.close()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            # Not through a buffered stream: its owner may be the very code that was interrupted.
            os.write(2, b"Stopping already; what was received is being finished\n")
        self.asked = True

    def check(self) -> None:
        """Raises Interrupted if somebody asked to stop."""
        if self.asked:
            raise Interrupted("interrupted")

    def wait(self, seconds: float) -> bool:
        """Waits so long at most; whether somebody asked to stop."""
        if not self.asked:
            select.select([self._woken], [], [], seconds)
        return self.asked
