"""A rate as a token bucket."""

from typing import Final

_BURST_SECONDS: Final = 1.0
"""So many seconds' worth may come at once; or one, where that is less."""


class TokenBucket:
    """Lets `rate` tokens a second pass; times are seconds of any one clock that never goes back.

    Whoever comes while there is a token may spend more than there are: the bucket is then in debt, and others wait
    until it is paid. So a batch of any size passes, and over time the rate is kept all the same.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._most = max(1.0, rate * _BURST_SECONDS)
        self._tokens = self._most
        self._filled = now

    def seconds_until_free(self, now: float) -> float:
        """After so many seconds somebody may spend; 0: now."""
        tokens = self._tokens + (now - self._filled) * self.rate
        # `min` and `max` would take twice as long, with each request.
        self._tokens = tokens = tokens if tokens < self._most else self._most  # noqa: FURB136
        self._filled = now
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / self.rate

    def spend(self, tokens: int) -> None:
        """Takes them, whether they are there or not."""
        self._tokens -= tokens
