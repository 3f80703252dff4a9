"""Reading one source over many hours at once: for those who add it all up, or compare it with the log."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from contract.log.progress import LogPartition, Progress
from contract.store import HistoryReader, WindowPoint
from contract.windows.window_value import WindowValue
from stores.committed import rank_of


class CommittedHours(NamedTuple):
    """A source's progress, and the windows of its hours as counted up to there."""

    progress: Progress
    windows: Mapping[int, WindowValue]
    """By hour; an hour without a committed window is left out."""


async def read_committed_between(
    reader: HistoryReader, source: LogPartition, first: int, end: int, attempts: int
) -> CommittedHours | None:
    """The committed windows of the hours from `first` up to, not including, `end`; all at one progress.

    None if the progress moved during each of this many attempts: the source is busy, and so many hours cannot be read
    between two of its flushes. A source without progress is at its beginning.
    """
    before = await progress_of(reader, source)
    for _ in range(attempts):
        hours = values_by_hour(reader.stream_windows(first, end, source))
        found = {hour: highest_up_to(before.through_offset, values) async for hour, values in hours}
        after = await progress_of(reader, source)
        if after == before:
            return CommittedHours(after, {hour: window for hour, window in found.items() if window is not None})
        before = after
    return None


async def progress_of(reader: HistoryReader, source: LogPartition) -> Progress:
    """The source's progress; one without any is at its beginning."""
    return (await reader.read_progress(source)).get(source, Progress())


def highest_up_to(limit: int, values: Sequence[WindowValue]) -> WindowValue | None:
    """Of an hour's values, the one to be used where progress stands at the offset `limit`."""
    return max((value for value in values if value.through_offset <= limit), key=rank_of, default=None)


async def values_by_hour(
    portions: AsyncIterator[Sequence[WindowPoint]],
) -> AsyncIterator[tuple[int, list[WindowValue]]]:
    """All values of each hour, of one source's points in the order of their hours: a portion may end within one."""
    hour, values = -1, list[WindowValue]()
    async for points in portions:
        for next_hour, some in groupby(points, key=lambda point: point.hour):
            if next_hour != hour:
                if values:
                    yield hour, values
                hour, values = next_hour, []
            values += [point.value for point in some]
    if values:
        yield hour, values
