"""Reading the ledger from the store, and from the end offsets in Kafka."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aggregator.end_offsets.cache import EndOffsetsCache
from aggregator.ledger.books import PartitionBooks
from aggregator.ledger.model import Ledger, PartitionLedger
from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from contract.errors import StateUnreadable, StoreUnavailable
from contract.log.progress import LogPartition, Progress
from contract.store import HistoryReader

_ATTEMPTS: Final = 3
"""How often a busy partition is read until it is told as in flight."""


class LedgerReader:
    """Adds up all committed windows of each partition, over all hours there ever were."""

    def __init__(
        self, store: HistoryReader, end_offsets: EndOffsetsCache, metrics: Metrics, settings: AggregatorSettings
    ) -> None:
        self._store = store
        self._end_offsets = end_offsets
        self._metrics = metrics
        self._settings = settings
        self._books: dict[LogPartition, PartitionBooks] = {}
        self._under_way: asyncio.Task[Ledger] | None = None

    async def read(self, *, fresh: bool = False) -> Ledger:
        """The ledger of the current log; where Kafka cannot be asked, of all logs in the store.

        Whoever asks while it is being read gets that one, as it can be a large reading. Hours that did not change since
        the last one are not read again, but with `fresh`: then even what changed behind our back is seen. Raises
        StoreUnavailable, also when the store takes too long over one partition, and StateUnreadable.
        """
        if fresh:
            await self._forget()
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._read())
        # One reader that hangs up must not end the reading of the others.
        return await asyncio.shield(self._under_way)

    async def _forget(self) -> None:
        """A reading that is under way goes on with what it remembers, and its askers get that."""
        reading = self._under_way
        if reading is not None and not reading.done():
            await asyncio.wait([reading])
        if self._under_way is reading:
            self._books = {}

    async def _read(self) -> Ledger:
        end_offsets = await self._end_offsets.latest()
        try:
            return await self._read_store(*(None, {}) if end_offsets is None else end_offsets.ends)
        except StoreUnavailable as error:
            self._metrics.store_errors.labels(error.reason).inc()
            raise
        except StateUnreadable:
            self._metrics.store_errors.labels("state_unreadable").inc()
            raise

    async def _read_store(self, log: str | None, ends: Mapping[int, int]) -> Ledger:
        async with self._in_time():
            progress = await self._store.read_progress()
        sources = {source for source in progress if log in (None, source.log)}
        if log is not None:
            sources |= {LogPartition(log, partition) for partition in ends}
        self._books = {source: self._books.get(source) or PartitionBooks(self._store, source) for source in sources}
        # One after the other: the shorter a partition's reading, the less it is counted on meanwhile.
        partitions = [
            await self._read_partition(source, progress.get(source, Progress()), ends.get(source.partition))
            for source in sorted(sources)
        ]
        return Ledger.of(log, partitions)

    async def _read_partition(self, source: LogPartition, progress: Progress, end: int | None) -> PartitionLedger:
        async with self._in_time():
            found = await self._books[source].read(_ATTEMPTS)
        if found is None:
            return PartitionLedger.of_moving(*source, progress, end)
        return PartitionLedger.of_still(*source, found, end)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        limit = self._settings.aggregator_store_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                yield
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer within {limit} s", reason="timeout") from error
