"""Log lines that differ in numbers only, written once in a while instead of each time."""

import logging
import re
import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 30.0
"""Seconds."""
_KINDS: Final = 1_000
"""So many kinds of lines are told apart: it bounds the memory."""


class RepeatedLines(logging.Filter):
    """Lets one line of a kind pass in `EVERY` seconds, with the number of those that it held back before."""

    def __init__(self, of: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """`of`: a logger, with all below it, whose lines it is about; others pass. All, if not given."""
        super().__init__(of)
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}
        """By kind: when one was written, and how many were held back since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not super().filter(record):
            return True
        kind = f"{record.levelno} {re.sub(r'[0-9]+', '0', record.getMessage())}"
        now = self._clock()
        written, held_back = self._kinds.get(kind, (float("-inf"), 0))
        if now - written < EVERY:
            self._kinds[kind] = (written, held_back + 1)
            return False
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        self._kinds[kind] = (now, 0)
        if held_back:
            record.msg, record.args = f"{record.getMessage()} ({held_back} more such lines since)", None
        return True
