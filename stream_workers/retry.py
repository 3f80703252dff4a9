"""Retrying for as long as it takes."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from contract.errors import CollectorError, LogUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


class Abandoned(CollectorError):
    """What was being written is no longer ours to write."""


@dataclass
class RetryPolicy:
    """Repeats an attempt while the store or Kafka is unavailable, with delays that double up to a longest one.

    `failing` holds what is being retried right now, by name: for /readyz.
    """

    sleep: Callable[[float], Awaitable[None]]
    on_failure: Callable[[str, Exception], None] = lambda _what, _error: None
    on_success: Callable[[str, float], None] = lambda _what, _seconds: None
    """Is told how long it took, with all attempts."""
    failing: dict[str, str] = field(default_factory=dict)
    store_fails: set[str] = field(default_factory=set)
    """What of it the store does not carry out; the rest is Kafka's."""

    async def __call__(
        self,
        what: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        still_ours: Callable[[], bool],
        on_unknown: Callable[[], None] = lambda: None,
        longest_delay: float = LONGEST_DELAY,
    ) -> T:
        """What the attempt that succeeded returned; raises Abandoned once `still_ours` says no.

        `on_unknown` is called after each attempt whose outcome is unknown; `longest_delay` is in seconds.
        """
        delay, began = FIRST_DELAY, time.monotonic()
        try:
            while True:
                if not still_ours():
                    raise Abandoned(what)
                try:
                    done = await attempt()
                except (StoreUnavailable, LogUnavailable) as error:
                    logger.warning("%s failed, retrying in %.1f s: %s", what, delay, error)
                    self._note(what, error)
                    on_unknown()
                    await self.sleep(delay)
                    delay = min(delay * 2, longest_delay)
                else:
                    self.on_success(what, time.monotonic() - began)
                    return done
        finally:
            # However it ended: nobody retries it any more.
            self.failing.pop(what, None)
            self.store_fails.discard(what)

    def _note(self, what: str, error: StoreUnavailable | LogUnavailable) -> None:
        self.failing[what] = str(error)
        if isinstance(error, StoreUnavailable):
            self.store_fails.add(what)
        else:
            self.store_fails.discard(what)
        self.on_failure(what, error)
