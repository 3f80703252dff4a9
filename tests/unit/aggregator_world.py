"""A small world to read answers from: a log that grows, a worker that counts it, a clock that is moved by hand."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from aggregator.answers import HourReader
from aggregator.log_ends import FakeLogEnds, LogEndsReader
from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from aggregator.shared_look import LookLimits, SharedLook
from contract.action import Action
from contract.hour import HOUR_MS, hour_of
from contract.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, StoreReader, WindowPoint
from contract.window import Window
from contract.window_value import WindowValue
from stores.memory import MemoryStore

HOUR = 1_795_510_800_000
"""2026-11-24T09:00:00Z."""


class Appended(NamedTuple):
    """A record in the log; it was acknowledged at once."""

    timestamp: int
    partitions: int
    actions: tuple[Action, ...]


class World:
    """Kafka, the workers and the store in memory."""

    def __init__(self, partitions: int = 1) -> None:
        self.now = HOUR + 60_000
        self.store = MemoryStore()
        self.log_ends = FakeLogEnds("log-1", dict.fromkeys(range(partitions), 0))
        self.records: dict[LogPartition, list[Appended]] = defaultdict(list)
        self._windows: dict[tuple[LogPartition, int], Window] = {}
        self._flushes: dict[LogPartition, int] = defaultdict(int)

    def clock(self) -> int:
        return self.now

    @property
    def partitions(self) -> int:
        return len(self.log_ends.by_partition)

    def append(self, partition: int, *actions: Action, header: int | None = None) -> None:
        """One record; its header says the current partition count unless told otherwise."""
        count = self.partitions if header is None else header
        self.records[LogPartition(self.log_ends.log, partition)].append(Appended(self.now, count, actions))
        self.log_ends.by_partition[partition] += 1

    def grow(self) -> None:
        """Adds a partition."""
        self.log_ends.by_partition[self.partitions] = 0

    def create_again(self, log: str, partitions: int) -> None:
        """Deletes the topic and creates it again."""
        self.log_ends.log = log
        self.log_ends.by_partition = dict.fromkeys(range(partitions), 0)

    async def count(self, partition: int = 0) -> None:
        """Counts all that the partition holds."""
        async for _ in self.flush(LogPartition(self.log_ends.log, partition)):
            pass

    async def flush(self, source: LogPartition) -> AsyncIterator[None]:
        """One flush of all that is not counted yet, in steps: segments, windows, then progress."""
        progress = (await self.store.read_progress(source)).get(source, Progress())
        records = self.records[source][progress.through_offset + 1 :]
        if not records:
            return
        hours = set()
        for offset, record in enumerate(records, progress.through_offset + 1):
            for hour in {hour_of(action.timestamp) for action in record.actions}:
                window = self._windows.setdefault((source, hour), Window(WindowValue()))
                window.fold(offset, record.partitions, [a for a in record.actions if hour_of(a.timestamp) == hour])
                hours.add(hour)
        end = progress.through_offset + len(records)
        self._flushes[source] += 1
        place = self._flushes[source] % 2
        for hour in sorted(hours):
            flushed = self._windows[source, hour].flush(end)
            assert flushed is not None
            value, segments = flushed
            await self.store.write_windows([], [SegmentPoint(source, hour, segment) for segment in segments])
            yield
            await self.store.write_windows([WindowPoint(source, hour, place, value)], [])
            yield
        lines = progress.lines + sum(len(record.actions) for record in records)
        watermark = records[-1].timestamp
        counted = msgspec.structs.replace(progress, through_offset=end, lines=lines, watermark=watermark)
        await self.store.write_progress([ProgressPoint(source, place, counted)])
        yield

    def reader(
        self,
        store: StoreReader | None = None,
        settings: AggregatorSettings | None = None,
        log_ends: LogEndsReader | None = None,
    ) -> HourReader:
        """A reader of this world."""
        settings = settings or AggregatorSettings()
        limits = LookLimits(
            settings.aggregator_ends_max_age, settings.aggregator_kafka_timeout, settings.aggregator_kafka_retry
        )
        metrics = Metrics()
        look = SharedLook(log_ends or self.log_ends, self.clock, metrics, limits=limits)
        return HourReader(store or self.store, look, metrics, settings)


def click(user: str, *, hour: int = HOUR, event: str = "click", action_id: str | None = None) -> Action:
    """An action in the hour."""
    return Action(hour + HOUR_MS // 2, user, event, action_id)
