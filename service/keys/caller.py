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
        requests, actions = self.requests, self.actions
        if requests is None and actions is None:
            return
        now = self._timer()
        if requests is not None and (wait := requests.seconds_until_free(now)):
            raise self._exceeded(requests, "requests", wait)
        if actions is not None and (wait := actions.seconds_until_free(now)):
            raise self._exceeded(actions, "actions", wait)
        if requests is not None:
            requests.spend(1)

    def spend(self, number: int) -> None:
        """To be called before so many actions are published. Raises RateExceeded: then none of them may be."""
        actions = self.actions
        if actions is None:
            return
        if wait := actions.seconds_until_free(self._timer()):
            raise self._exceeded(actions, "actions", wait)
        actions.spend(number)

    def _exceeded(self, bucket: TokenBucket, what: str, wait: float) -> RateExceeded:
        detail = f"the key {self.key.name} sends more than {bucket.rate:g} {what} a second"
        return RateExceeded(detail, math.ceil(wait))


def _bucket(rate: float | None, before: TokenBucket | None, timer: Timer) -> TokenBucket | None:
    if rate is None:
        return None
    return before if before is not None and before.rate == rate else TokenBucket(rate, timer())
