"""How fast actions come in, from a count that grows."""

from collections import deque
from datetime import timedelta
from typing import Final, NamedTuple

SPAN: Final = timedelta(seconds=5)
"""Over which a rate is taken: readings stand a fraction of a second apart, and records come in lots."""

_MS: Final = timedelta(milliseconds=1)


class _Sample(NamedTuple):
    instant: int
    actions: int


class ActionRate:
    """Actions a second in the hour that is being counted. Each hour begins at zero."""

    def __init__(self) -> None:
        self._hour: int | None = None
        self._samples: deque[_Sample] = deque()

    def per_second(self, hour: int, instant: int, actions: int) -> float:
        """The rate once `actions` of `hour` were counted through `instant`; both are ms since the epoch."""
        if hour != self._hour:
            began_before = self._hour is not None
            self._hour, self._samples = hour, deque()
            if began_before:
                # Before this hour there was another one: it was watched from its beginning.
                self._samples.append(_Sample(hour, 0))
        if not self._samples or instant > self._samples[-1].instant:
            self._samples.append(_Sample(instant, actions))
        while len(self._samples) > 2 and self._samples[1].instant <= instant - SPAN // _MS:  # noqa: PLR2004 - a rate has two ends
            self._samples.popleft()
        first, last = self._samples[0], self._samples[-1]
        passed = last.instant - first.instant
        return 1000 * max(0, last.actions - first.actions) / passed if passed else 0.0
