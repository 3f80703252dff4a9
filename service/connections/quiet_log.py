"""A log that strangers cannot fill: of lines that are alike, the first are written, and how many others there were."""

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

MOST: Final = 10
SECONDS: Final = 10.0
"""So many lines of one kind are written within so long, with their tracebacks."""
_KINDS: Final = 1_000


class _Kind:
    """Lines that are alike but for their arguments."""

    __slots__ = ("left_out", "since", "written")

    def __init__(self, since: float) -> None:
        self.since = since
        self.written = 0
        self.left_out = 0


class QuietLog(logging.Filter):
    """Goes before a handler."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds."""
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        if record.name == logger.name:
            return True
        kind = self._kind_of(record.name, str(record.msg))
        if kind.written >= MOST:
            kind.left_out += 1
            return False
        kind.written += 1
        return True

    def report(self) -> None:
        """Says what was left out, of the kinds whose time is over. To be called again and again."""
        now = self._clock()
        over = [key for key, kind in self._kinds.items() if now - kind.since >= SECONDS]
        for name, text in over:
            self._tell(name, text, self._kinds.pop((name, text)))

    def _kind_of(self, name: str, text: str) -> _Kind:
        now = self._clock()
        kind = self._kinds.get((name, text))
        if kind is not None and now - kind.since < SECONDS:
            return kind
        if kind is not None:
            self._tell(name, text, kind)
        elif len(self._kinds) >= _KINDS:
            self._kinds.clear()
        kind = self._kinds[name, text] = _Kind(now)
        return kind

    def _tell(self, name: str, text: str, kind: _Kind) -> None:
        if kind.left_out:
            logger.warning("%d more lines of %s were left out: %s", kind.left_out, name, text.strip())


def quieten_log() -> QuietLog:
    """Puts one before all handlers of the process."""
    quiet = QuietLog()
    for handler in logging.getLogger().handlers:
        handler.addFilter(quiet)
    return quiet
