"""Whoever sends requests with one key: what of its rates is used up."""

import math
from collections.abc import Callable

from service.keys.bucket import TokenBucket
from service.keys.errors import RateExceeded
from service.keys.key import Key

Timer = Callable[[], float]
"""Seconds, from any start; never goes back."""


class Caller:
    """A key in use. The key that a rotation replaced is used on the same account."""

    def __init__(self, key: Key, timer: Timer, before: "Caller | None" = None) -> None:
        """`before`: the one of that name until now; rates that are the same are not given anew."""
        self.key = key
        self._timer = timer
        self.requests: TokenBucket | None = _bucket(key.requests_per_second, before.requests if before else None, timer)
        """What is left of the rate of requests; None: no bound."""
        self.actions: TokenBucket | None = _bucket(key.actions_per_second, before.actions if before else None, timer)
        """What is left of the rate of actions; None: no bound."""

    def begin(self) -> None:
        """To be called for each request, before any work. Raises RateExceeded."""
        if self.requests is not None:
            self._require(self.requests, "requests")
        if self.actions is not None:
            self._require(self.actions, "actions")
        if self.requests is not None:
            self.requests.spend(1)

    def spend(self, actions: int) -> None:
        """To be called before actions are published. Raises RateExceeded: then none of them may be."""
        if self.actions is not None:
            self._require(self.actions, "actions")
            self.actions.spend(actions)

    def _require(self, bucket: TokenBucket, what: str) -> None:
        if wait := bucket.seconds_until_free(self._timer()):
            detail = f"the key {self.key.name} sends more than {bucket.rate:g} {what} a second"
            raise RateExceeded(detail, math.ceil(wait))


def _bucket(rate: float | None, before: TokenBucket | None, timer: Timer) -> TokenBucket | None:
    if rate is None:
        return None
    return before if before is not None and before.rate == rate else TokenBucket(rate, timer())
