"""Reading what is committed: the only values anyone may use."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import StoreReader, WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue

_NEAR: Final = 24
_NEAR_OF_ONE: Final = 192
"""Hours: a request takes longer than to read so many that nobody needs; of one source there is less to read."""

_WITH_ONE: Final = 64 * HOUR_MS
"""So long are the spans of hours, from the epoch on, that are read with one of them: a millisecond more, and the next
one needs no request."""

_EMPTY: Final = WindowValue()


class Committed(NamedTuple):
    """A progress of a source, and its hour's window, complete up to there (None: no action of the hour up to there)."""

    progress: Progress
    window: WindowValue | None
    """It may hold more that is committed by now; not with `exactly`."""


async def read_committed(
    reader: StoreReader, hour: int, source: LogPartition | None = None, *, exactly: bool = False
) -> dict[LogPartition, Committed]:
    """The committed window of `hour` for each source that has progress; see read_committed_hours."""
    return (await read_committed_hours(reader, [hour], source, exactly=exactly))[hour]


async def read_committed_hours(
    reader: StoreReader, hours: Collection[int], source: LogPartition | None = None, *, exactly: bool = False
) -> dict[int, dict[LogPartition, Committed]]:
    """The committed window of each of `hours`, for each source that has progress.

    Windows are read between two readings of progress. Where these leave open whether an hour of a source is complete up
    to the first, that hour is read again. `exactly`: windows that hold nothing beyond their progress; this may not end
    while writers commit faster than is read.
    """
    found: dict[int, dict[LogPartition, Committed]] = {hour: {} for hour in hours}
    before = await reader.read_progress(source)
    missing = dict.fromkeys(hours, before)
    while missing:
        points = await _read_windows(reader, missing.keys(), source)
        after = await reader.read_progress(source)
        for hour, limits in list(missing.items()):
            found[hour] |= settled(limits, after, points.get(hour, []), exactly=exactly)
            missing[hour] = {key: after[key] for key in after.keys() - found[hour].keys()}
        missing = {hour: limits for hour, limits in missing.items() if limits}
    return found


async def _read_windows(
    reader: StoreReader, hours: Collection[int], source: LogPartition | None
) -> dict[int, list[WindowPoint]]:
    """The points of some hours; hours that lie near each other are asked for in one request."""
    found: dict[int, list[WindowPoint]] = {}
    for run in _runs(hours, _NEAR if source is None else _NEAR_OF_ONE):
        asked = reader.read_windows_between(run[0], run[-1] + HOUR_MS, source) if run[1:] else None
        for point in await (asked or reader.read_windows(run[0], source)):
            found.setdefault(point.hour, []).append(point)
    return found


def _runs(hours: Collection[int], near: int) -> list[list[int]]:
    """The hours in order; those of a run lie at most `near` hours from each other."""
    runs: list[list[int]] = []
    for hour in sorted(hours):
        if runs and hour - runs[-1][-1] <= near * HOUR_MS:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return runs


def settled(
    before: Mapping[LogPartition, Progress],
    after: Mapping[LogPartition, Progress],
    points: Iterable[WindowPoint],
    *,
    exactly: bool = False,
) -> dict[LogPartition, Committed]:
    """What is certain of one hour's points, which were read one by one between two readings of progress.

    A value above progress may be half written, or be forgotten by the store. A window's slots are written in turn: a
    value that was committed at the first reading is still there, unless a newer one has been committed since and a
    third has overwritten it; that third one lies above the first progress. So if no value does, or progress stood
    still, the highest committed value is complete up to the first progress. So is a value committed by the second that
    does not lie below the first.
    """
    highest: dict[LogPartition, WindowValue] = {}
    rising: set[LogPartition] = set()
    for source, _, _, value in points:
        first, last = before.get(source), after.get(source)
        if first is None or last is None:
            continue
        if value.through_offset > first.through_offset:
            rising.add(source)
        if value.through_offset > (first if exactly else last).through_offset:
            continue
        if (best := highest.get(source)) is None or rank_of(value) > rank_of(best):
            highest[source] = value
    found: dict[LogPartition, Committed] = {}
    for source, first in before.items():
        window, last = highest.get(source), after.get(source)
        if last == first or (last is not None and _is_certain(window, first, last, is_rising=source in rising)):
            found[source] = Committed(first, window)
    return found


def _is_certain(window: WindowValue | None, first: Progress, last: Progress, *, is_rising: bool) -> bool:
    # A store may forget progress that was not acknowledged.
    if last.through_offset < first.through_offset:
        return False
    return not is_rising or (window is not None and window.through_offset >= first.through_offset)


def rank_of(value: WindowValue) -> tuple[int, int, int]:
    """The value of the highest rank is to be used, of those that are committed.

    Values of one offset are the same numbers; of a rebuild's, and of a full segment, the users are surer and nearer.
    """
    return value.through_offset, value.generation, value.full_through


async def read_committed_segments(
    reader: StoreReader, hour: int, source: LogPartition, window: WindowValue | None
) -> list[Segment]:
    """The segments that belong to a committed window."""
    if window is None:
        return []
    return await reader.read_segments(hour, source, window)


class Loads(NamedTuple):
    """What a worker loads: values by hour, and segments of the hours that were asked for."""

    values: dict[int, WindowValue]
    """Committed ones, empty where there is none; of more hours than were asked for: those that lie near."""
    segments: dict[int, list[Segment]]


async def read_loads(
    reader: StoreReader, hours: Collection[int], source: LogPartition, known: Mapping[int, WindowValue]
) -> Loads:
    """What a worker loads of `hours`; the values of some of them are `known`."""
    read = await _read_values(reader, [hour for hour in hours if hour not in known], source)
    values = {**read, **known}
    stored = {hour: values[hour] for hour in hours if values[hour].through_offset >= 0}
    return Loads(values, await reader.read_segments_of_hours(source, stored) if stored else {})


async def _read_values(reader: StoreReader, hours: Collection[int], source: LogPartition) -> dict[int, WindowValue]:
    """Of all hours that reading these reads."""
    if not hours:
        return {}
    wide = {edge for hour in hours for edge in (hour - hour % _WITH_ONE, hour - hour % _WITH_ONE + _WITH_ONE - HOUR_MS)}
    around = [hour for run in _runs(wide, _NEAR_OF_ONE) for hour in range(run[0], run[-1] + HOUR_MS, HOUR_MS)]
    committed = await read_committed_hours(reader, around, source)
    return {hour: _value_of(of_hour.get(source)) for hour, of_hour in committed.items()}


def _value_of(found: Committed | None) -> WindowValue:
    return _EMPTY if found is None or found.window is None else found.window
