"""Round after round, whatever fails."""

import asyncio
import logging
from datetime import timedelta
from typing import Protocol

from aggregator.rollup.metrics import RollupMetrics
from contract.errors import StateUnreadable, StoreError
from service.clock import Clock

logger = logging.getLogger(__name__)


class Round(Protocol):
    """What is done in each round."""

    sweeps: int

    async def round(self) -> int:
        """Returns how many points were written. Raises StoreError and StateUnreadable."""


class Rounds:
    """Runs a round every `interval`, counted from when the last one began."""

    def __init__(self, keeper: Round, clock: Clock, metrics: RollupMetrics, interval: timedelta) -> None:
        self._keeper = keeper
        self._clock = clock
        self._metrics = metrics
        metrics.sweeps.set_function(lambda: keeper.sweeps)
        self._interval = interval.total_seconds()
        self.failure: str | None = "no hour was compared yet"
        """Why the last round failed, or that there was none yet; None: it succeeded."""

    async def run(self) -> None:
        """Never returns."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.once()
            await asyncio.sleep(began + self._interval - loop.time())

    async def once(self) -> None:
        """One round. What fails is said, and tried again by the next."""
        began = self._clock()
        try:
            with self._metrics.round_seconds.time():
                written = await self._keeper.round()
        except (StoreError, StateUnreadable) as error:
            self._failed(str(error))
            return
        except Exception as error:
            # A process that lives on without its rounds would be of use to nobody.
            logger.exception("a round failed in a way that was not foreseen")
            self._failed(f"{type(error).__name__} {error}")
            return
        self._metrics.rounds.labels("compared").inc()
        self._metrics.written.inc(written)
        self._metrics.compared_at.set(began / 1000)
        self._succeeded()

    def _failed(self, reason: str) -> None:
        self._metrics.rounds.labels("failed").inc()
        if reason != self.failure:
            logger.warning("hours are not compared, tried again each %g s: %s", self._interval, reason)
        self.failure = reason

    def _succeeded(self) -> None:
        if self.failure is not None:
            logger.info("hours are compared each %g s", self._interval)
        self.failure = None
