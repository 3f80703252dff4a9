"""Reading what is committed of one source over many hours at once: for those who add it all up, or rebuild it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from contract.progress import LogPartition, Progress
from contract.store import StoreReader, WindowPoint
from contract.window_value import WindowValue
from stores.committed import highest_committed


class CommittedHours(NamedTuple):
    """A source's progress, and the windows of its hours as counted up to there."""

    progress: Progress
    windows: Mapping[int, WindowValue]
    """By hour; an hour without a committed window is left out."""


async def read_committed_between(
    reader: StoreReader, source: LogPartition, first: int, end: int, attempts: int
) -> CommittedHours | None:
    """The committed windows of the hours from `first` up to, not including, `end`; all at one progress.

    None if the progress moved during each of this many attempts: the source is busy, and so many hours cannot be read
    between two of its flushes. A source without progress is at its beginning.
    """
    before = await _progress(reader, source)
    for _ in range(attempts):
        points = await reader.read_windows_between(first, end, source)
        after = await _progress(reader, source)
        if after == before:
            return CommittedHours(after, _committed(source, after, points))
        before = after
    return None


async def _progress(reader: StoreReader, source: LogPartition) -> Progress:
    return (await reader.read_progress(source)).get(source, Progress())


def _committed(source: LogPartition, progress: Progress, points: list[WindowPoint]) -> dict[int, WindowValue]:
    by_hour: dict[int, list[WindowPoint]] = defaultdict(list)
    for point in points:
        by_hour[point.hour].append(point)
    found = {hour: highest_committed({source: progress}, of_hour)[source].window for hour, of_hour in by_hour.items()}
    return {hour: window for hour, window in found.items() if window is not None}
