"""In how many distinct hours the actions lie that a key sends: each one costs a window of its own, for ever."""

from collections.abc import Set as AbstractSet

from contract.hour import HOUR_MS


class TouchedHours:
    """The hours of actions that were sent within an hour of the clock; with the next one it begins anew."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._touched: set[int] = set()
        self._within = 0

    def admit(self, hours: AbstractSet[int], now: int) -> bool:
        """Whether all of them may be touched; else none of them is. `now` in ms since the epoch."""
        within = now // HOUR_MS
        if within == self._within and hours <= self._touched:
            return True
        if within != self._within:
            self._touched, self._within = set(), within
        more = hours - self._touched
        if len(self._touched) + len(more) > self.most:
            return False
        self._touched |= more
        return True
