"""A store in memory: the fake for tests, which passes the same suite as InfluxDB."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple

from contract.hour import HOUR_MS, hour_of
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Rebuild
from contract.store import (
    BLOCK_MS,
    BlockVersion,
    ManifestPoint,
    ProgressPoint,
    RawActions,
    SegmentPoint,
    StoredAction,
    WindowPoint,
)
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue

_PORTION: Final = 1_000


class SegmentKey(NamedTuple):
    """What tells the segments of an hour apart."""

    through_offset: int
    part: int
    parts: int
    generation: int
    full: bool


def key_of(segment: Segment) -> SegmentKey:
    """The key that a segment is stored under."""
    return SegmentKey(segment.through_offset, segment.part, segment.parts, segment.generation, segment.full)


class MemoryStore:
    """Holds points under the same keys as InfluxDB does."""

    def __init__(self) -> None:
        """An empty store."""
        self.actions: dict[tuple[LogPartition, int], Action] = {}
        self.windows: dict[tuple[LogPartition, int, int], WindowValue] = {}
        self.segments: dict[tuple[LogPartition, int, SegmentKey], Segment] = {}
        self.progress: dict[tuple[LogPartition, int, int], Progress] = {}
        self.manifests: dict[tuple[LogPartition, str], Rebuild] = {}

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        for source, first_line, lines in batches:
            for number, action in enumerate(lines, first_line):
                if action is not None:
                    self.actions[source, number] = action

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        for source, hour, segment in segments:
            self.segments[source, hour, key_of(segment)] = segment
        for source, hour, slot, value in windows:
            self.windows[source, hour, slot] = value

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        for source, slot, value in points:
            self.progress[source, hour_of(max(value.watermark, 0)), slot] = value

    async def write_manifests(self, points: Sequence[ManifestPoint]) -> None:
        for source, manifest in points:
            self.manifests[source, manifest.id] = manifest.rebuild

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        highest: dict[LogPartition, Progress] = {}
        for (key, _, _), value in self.progress.items():
            if source in (None, key) and (key not in highest or value.through_offset > highest[key].through_offset):
                highest[key] = value
        return highest

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self.read_windows_between(hour, hour + HOUR_MS, source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return [
            WindowPoint(key, hour, slot, value)
            for (key, hour, slot), value in self.windows.items()
            if first <= hour < end and source in (None, key)
        ]

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        points = await self.read_windows_between(first, end, source)
        in_order = sorted(points, key=lambda point: point.hour)
        for at in range(0, len(in_order), _PORTION):
            yield in_order[at : at + _PORTION]

    async def read_block_versions(self, source: LogPartition) -> dict[int, BlockVersion]:
        values: Counter[int] = Counter()
        offsets: Counter[int] = Counter()
        for (key, hour, _), value in self.windows.items():
            if key == source:
                values[hour // BLOCK_MS * BLOCK_MS] += 1
                offsets[hour // BLOCK_MS * BLOCK_MS] += value.through_offset
        return {block: BlockVersion(number, offsets[block]) for block, number in values.items()}

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        return [
            segment
            for (key, start, _), segment in self.segments.items()
            if key == source and start == hour and segment.belongs_to(window)
        ]

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        return {hour: await self.read_segments(hour, source, window) for hour, window in windows.items()}

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        return {name: rebuild for (key, name), rebuild in self.manifests.items() if key == source}

    async def stream_actions(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        found = [
            StoredAction(line, action)
            for (key, line), action in self.actions.items()
            if key == source and hour_of(action.timestamp) == hour
        ]
        for at in range(0, len(found), _PORTION):
            yield found[at : at + _PORTION]

    async def ping(self) -> None:
        """It is always there."""

    async def close(self) -> None:
        """It holds nothing to give back."""
