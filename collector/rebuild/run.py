"""One rebuild: each partition is counted again and stored, then a record of its log tells the workers."""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from collector.hour_range import HourRange
from collector.rebuild.record import append_rebuild
from collector.rebuild.recount import RebuildRecount, store_recounted
from collector.retention import retained_of, whole_hours
from collector.target import AuditSettings
from contract.errors import CollectorError, LogNotRetained, LogTruncated, RulesTooOld, StoreUnavailable
from contract.hour import format_hour
from contract.log.action import RULES_VERSION
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest
from contract.log.record import Record, mark_of
from contract.store import SLOTS, Store
from kafka_log.reader import Extent, LogReader
from service.clock import wall_clock
from stores.opening import open_store

T = TypeVar("T")

_NEAR: Final = 1_000
"""Records: this close to the log's end, workers read what has been appended since in less than a second."""
_ROUNDS: Final = 20
_PAUSE: Final = 0.2


class LogGrowsTooFast(CollectorError):
    """A partition grows faster than it can be counted again."""


class NotTakenOver(CollectorError):
    """The workers have not counted up to a rebuild's record yet."""


class Rebuilt(NamedTuple):
    """One partition; the rebuild's record is at `offset` of its log."""

    source: LogPartition
    offset: int
    hours: list[int]


class Rebuilding:
    """One rebuild. It may stop at any point: what it stored until then is right, and nobody has to use it.

    The log is read with blocking calls, outside any event loop, so that Ctrl-C ends them.
    """

    def __init__(self, settings: AuditSettings, hours: HourRange, generation: int, patience: float) -> None:
        """`patience`: seconds that the store may be unavailable, and the workers not progress. Connects to nothing."""
        self._settings = settings
        self._hours = hours
        self._generation = generation
        self._patience = patience
        self._log = LogReader(settings, settings.topic)
        self._progress: dict[LogPartition, Progress] = {}
        """As it was before anything was counted again."""

    def run(self, planned: Callable[[int], None], advanced: Callable[[int], None]) -> list[Rebuilt]:
        """Returns once the workers have taken over.

        Raises LogNotRetained, LogTruncated, RulesTooOld, LogGrowsTooFast, NotTakenOver, and what Kafka and the store
        raise when they are unavailable for too long.
        """
        try:
            log, partitions = self._log.identify()
            # Before the log's ends: else records that were appended in between would look cut off.
            self._progress = asyncio.run(self._with_store(lambda store: self._retry(store.read_progress)))
            extents = {LogPartition(log, partition): self._extent(log, partition) for partition in partitions}
            for source, extent in extents.items():
                self._require_same_log(source, extent.end)
            planned(sum(extent.end - extent.first for extent in extents.values()))
            rebuilt = [self._rebuild(source, extent, advanced) for source, extent in extents.items() if extent.end]
        finally:
            self._log.close()
        asyncio.run(self._with_store(lambda store: self._wait_for_workers(store, rebuilt)))
        return rebuilt

    def _extent(self, log: str, partition: int) -> Extent:
        """What there is of it, and was whole for all hours that are rebuilt. Raises LogNotRetained."""
        end = self._log.extent(partition).end
        counted = self._progress.get(LogPartition(log, partition), Progress())
        tolerance = self._settings.ingest_future_tolerance
        retained = retained_of(self._log, partition, end - 1, counted, tolerance)
        if self._hours.first < retained.whole_from:
            raise LogNotRetained(
                f"nothing was changed: partition {partition} begins at offset {retained.first}, so it no longer holds "
                f"all of {format_hour(self._hours.first)}{whole_hours(retained)}"
            )
        return Extent(retained.first, end)

    def _require_same_log(self, source: LogPartition, end: int) -> None:
        """If the log is not the one that was counted, its numbers are no better than those stored."""
        counted = self._progress.get(source, Progress())
        where = f"nothing was changed: partition {source.partition}"
        if counted.through_offset >= end:
            raise LogTruncated(
                f"{where} was counted through {counted.through_offset}, but its log can be read only before {end}: "
                "it was truncated, or a transaction is open"
            )
        if counted.rules > RULES_VERSION:
            raise RulesTooOld(f"{where} was counted by version {counted.rules} of the log's rules, not {RULES_VERSION}")

    def _rebuild(self, source: LogPartition, extent: Extent, advanced: Callable[[int], None]) -> Rebuilt:
        recount = RebuildRecount(self._hours, self._generation)
        through = self._recount(recount, source, extent, advanced)
        hours, manifest = asyncio.run(self._with_store(lambda store: self._store(store, recount, source, through)))
        self._log.verify(source.log)
        offset = append_rebuild(
            self._settings,
            self._settings.topic,
            source.partition,
            manifest,
            self._patience,
        )
        return Rebuilt(source, offset, hours)

    def _recount(
        self, recount: RebuildRecount, source: LogPartition, extent: Extent, advanced: Callable[[int], None]
    ) -> int:
        """Counts up to a little before the log's end, which moves on meanwhile; returns the last offset counted."""
        partition, at, end = source.partition, extent.first - 1, extent.end
        for _ in range(_ROUNDS):
            for record in self._log.records(partition, end - 1, at + 1):
                self._require_same_record(source, record)
                recount.add(record)
                advanced(record.offset - at)
                at = record.offset
            at, end = end - 1, self._log.extent(partition).end
            if end - 1 - at <= _NEAR:
                return at
        raise LogGrowsTooFast(f"partition {partition} grows faster than it can be counted again")

    def _require_same_record(self, source: LogPartition, record: Record) -> None:
        counted = self._progress.get(source, Progress())
        if record.offset == counted.through_offset and counted.mark not in (None, mark_of(record)):
            raise LogTruncated(
                f"partition {source.partition}: the record at offset {record.offset} is not the one that progress "
                "remembers: the log was truncated and rewritten"
            )

    async def _store(
        self, store: Store, recount: RebuildRecount, source: LogPartition, through_offset: int
    ) -> tuple[list[int], Manifest]:
        """Stores what was counted; returns its hours, and what the log's record must name."""
        stored = await self._retry(lambda: store.read_windows_between(*self._hours, source))
        slot = random.randrange(SLOTS)  # noqa: S311 - slots need no secrecy
        hours = {point.hour for point in stored}
        recounted = recount.stored_as(source, through_offset, hours, slot, secrets.token_hex(16))
        await store_recounted(store, recounted, self._retry)
        return [point.hour for point in recounted.windows], recounted.manifest.manifest

    async def _wait_for_workers(self, store: Store, rebuilt: Sequence[Rebuilt]) -> None:
        """Returns once the workers have counted each partition beyond its rebuild, from what that has stored."""
        seen, give_up = 0, time.monotonic() + self._patience
        while True:
            progress = await self._retry(store.read_progress)
            counted = {one.source: progress[one.source].through_offset for one in rebuilt if one.source in progress}
            behind = [one for one in rebuilt if counted.get(one.source, -1) < one.offset]
            if not behind:
                break
            if sum(counted.values()) > seen:
                seen, give_up = sum(counted.values()), time.monotonic() + self._patience
            if time.monotonic() > give_up:
                partitions = ", ".join(str(one.source.partition) for one in behind)
                raise NotTakenOver(
                    f"workers have not reached the rebuild on partitions {partitions}: they take it over once they do"
                )
            await asyncio.sleep(_PAUSE)
        for one in rebuilt:
            await self._require_taken_over(store, one, progress[one.source])

    async def _require_taken_over(self, store: Store, rebuilt: Rebuilt, progress: Progress) -> None:
        if progress.rebuilt < rebuilt.offset:
            raise NotTakenOver(
                f"partition {rebuilt.source.partition}: the workers did not take the rebuild over, as another one that "
                f"ran meanwhile came first: run it again; the topic of rejected lines has offset {rebuilt.offset}"
            )
        points = await self._retry(lambda: store.read_windows_between(*self._hours, rebuilt.source))
        taken = {
            point.hour
            for point in points
            if point.value.generation >= self._generation and point.value.through_offset >= rebuilt.offset
        }
        left = set(rebuilt.hours) - taken
        if left:
            raise NotTakenOver(
                f"partition {rebuilt.source.partition}: {len(left)} hours from {format_hour(min(left))} on were not "
                "taken over; the workers' logs say why"
            )

    async def _retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        give_up = time.monotonic() + self._patience
        while True:
            try:
                return await attempt()
            except StoreUnavailable:
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(_PAUSE)

    async def _with_store(self, use: Callable[[Store], Awaitable[T]]) -> T:
        store = open_store(self._settings, wall_clock)
        try:
            return await use(store)
        finally:
            await store.close()
