"""Counting hours of a partition again, for a rebuild: by the contract's fold, as workers do."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from collector.hour_range import HourRange
from contract.hour import hour_of
from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.log.rebuild import Manifest, Rebuild
from contract.log.record import Record, lines_of
from contract.store import ManifestPoint, SegmentPoint, StoreWriter, WindowPoint
from contract.windows.window import Window
from contract.windows.window_value import WindowValue


class Recounted(NamedTuple):
    """What a rebuild stores of one partition."""

    windows: list[WindowPoint]
    segments: list[SegmentPoint]
    manifest: ManifestPoint


Retry = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Repeats an attempt until the store has acknowledged it."""


async def store_recounted(store: StoreWriter, recounted: Recounted, retry: Retry) -> None:
    """Stores segments, and once they are acknowledged values: anyone may use these as soon as they are there.

    The manifest comes last: whoever finds it may take all the rest.
    """
    await retry(lambda: store.write_windows([], recounted.segments))
    await retry(lambda: store.write_windows(recounted.windows, []))
    await retry(lambda: store.write_manifests([recounted.manifest]))


class RebuildRecount:
    """The windows of the hours that are rebuilt, from the first record on that a partition still has."""

    def __init__(self, hours: HourRange, generation: int) -> None:
        """Nothing counted yet."""
        self._hours = hours
        self._generation = generation
        self._windows: dict[int, Window] = {}

    def add(self, record: Record) -> None:
        """Counts a record; records come in the order of their offsets."""
        by_hour: dict[int, list[Action]] = {}
        for line in lines_of(record):
            if isinstance(line, Action) and self._hours.first <= line.timestamp < self._hours.end:
                by_hour.setdefault(hour_of(line.timestamp), []).append(line)
        for hour, actions in by_hour.items():
            self._window(hour).fold(record.offset, record.partitions, actions)

    def _window(self, hour: int) -> Window:
        if hour not in self._windows:
            self._windows[hour] = Window(WindowValue(generation=self._generation))
        return self._windows[hour]

    def stored_as(
        self, source: LogPartition, through_offset: int, stored_hours: set[int], slot: int, manifest_id: str
    ) -> Recounted:
        """All that was counted, through an offset; zeros for hours that have a value already."""
        rebuild = Rebuild(self._generation, *self._hours, through_offset)
        recounted = Recounted([], [], ManifestPoint(source, Manifest(manifest_id, rebuild)))
        for hour in sorted(self._windows.keys() | stored_hours):
            flushed = self._window(hour).flush(through_offset)
            assert flushed is not None
            recounted.windows.append(WindowPoint(source, hour, slot, flushed[0]))
            recounted.segments.extend(SegmentPoint(source, hour, segment) for segment in flushed[1])
        return recounted
