"""Ctrl-C and SIGTERM, so that they leave no request without its answer."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While this context is open, a signal raises KeyboardInterrupt: at once, or at the end of what is `finished`."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The signal that came."""
        self._finishing = False

    def __enter__(self) -> Self:
        # What was started in the background, by nohup or a script, ignores Ctrl-C.
        heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        self._previous = {number: signal.signal(number, self._ask) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextmanager
    def finished(self) -> Iterator[None]:
        """What is done in this block is finished after a first signal; a second one breaks it off."""
        self._finishing = True
        try:
            yield
        finally:
            self._finishing = False
        if self.signal is not None:
            raise KeyboardInterrupt

    def pause(self, seconds: float) -> None:
        """Sleeps, within `finished`, for so long at most: raises KeyboardInterrupt at a signal."""
        self._finishing = False
        try:
            if self.signal is not None:
                raise KeyboardInterrupt
            time.sleep(seconds)
        finally:
            self._finishing = True

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        is_first, self.signal = self.signal is None, number
        if not (self._finishing and is_first):
            raise KeyboardInterrupt
        # Not through a buffered stream: its owner may be the very code that was interrupted.
        os.write(2, b"\nWaiting for the answer to the last request; once more breaks it off\n")
