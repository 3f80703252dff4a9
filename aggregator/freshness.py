"""How old the numbers are, for those who watch: asked anew whenever somebody looks at /metrics."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from aggregator.hours.completeness import Completeness
from aggregator.metrics import Metrics
from contract.errors import StateUnreadable, StoreUnavailable
from contract.log.progress import LogPartition, Progress
from service.metrics.listed import UNKNOWN


class CompletenessReader(Protocol):
    """Who knows."""

    async def completeness(self) -> tuple[Completeness, Mapping[LogPartition, Progress]]:
        """How complete an answer would be, and what is counted. Raises StoreUnavailable and StateUnreadable."""


class Freshness:
    """Tells the metrics.

    What was complete once stays so. A partition that had no records for hours, and has one now, makes an answer
    complete through hours ago only, for the moment until it is counted: that is no news for those who watch. Only
    where a store was restored, and counts less than it did, is what was complete no longer so.
    """

    def __init__(self, reader: CompletenessReader, metrics: Metrics, longest: timedelta) -> None:
        """Nothing is known. The store is waited for as long as `longest`."""
        self._reader = reader
        self._metrics = metrics
        self._longest = longest.total_seconds()
        self._through: int | None = None
        self._counted: Mapping[LogPartition, Progress] = {}

    async def look(self) -> None:
        """Where the store is away, what it said last stands on."""
        try:
            async with asyncio.timeout(self._longest):
                completeness, progress = await self._reader.completeness()
        except (StoreUnavailable, StateUnreadable, TimeoutError):
            self._metrics.lag.set(UNKNOWN)
            return
        if self._went_back(progress):
            self._through = None
        self._counted = progress
        if completeness.complete_through is not None:
            self._through = max(completeness.complete_through, self._through or 0)
        self._metrics.complete_through.set(UNKNOWN if self._through is None else self._through / 1000)
        self._metrics.lag.set(UNKNOWN if completeness.lag is None else completeness.lag)
        self._metrics.lost.set(sum(counted.lost for counted in progress.values()))
        self._metrics.earlier_logs.set(max(len({source.log for source in progress}) - 1, 0))

    def _went_back(self, progress: Mapping[LogPartition, Progress]) -> bool:
        return any(
            source not in progress or progress[source].through_offset < counted.through_offset
            for source, counted in self._counted.items()
        )
