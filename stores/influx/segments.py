"""Reading segments: hour by hour, or, where hours have few users, many of them by one query.

A query of its own for each hour cost InfluxDB 1.8 0.7 ms, and one that reads all that lies between them 2 us a segment,
and us as much again: of 1,000 hours out of 10,000, the one took 25 times as long as the other.
"""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Final

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.influx import schema
from stores.influx.connection import InfluxConnection
from stores.influx.rows import segments_in, small_segments_in
from stores.influx.schema import Bucket

Found = dict[int, list[Segment]]
"""By hour."""

_HOURS: Final = 50
_USERS: Final = 100_000
"""So many hours, and users of theirs, are asked for at once: about a MB of an answer."""

FEW_ACTIONS: Final = 100
"""A window with at most so many has at most so many segments, each with a user or an id that it first saw."""

_NEAR: Final = 128 * HOUR_MS
"""Hours that lie further apart are not asked for by one query: those in between, with a segment or two, cost more."""

_WASTE: Final = 1_000_000
"""Bytes of hours in between that nobody asked for: after so many the query is given up."""

_QUERIES: Final = 8
"""After so many that were given up, the rest is read hour by hour."""


class SegmentReader:
    """Reads the segments of a source's windows."""

    def __init__(self, connection: InfluxConnection, bucket: Bucket) -> None:
        self._connection = connection
        self._bucket = bucket

    async def read(self, source: LogPartition, windows: Mapping[int, WindowValue]) -> Found:
        """As StoreReader.read_segments_of_hours."""
        found: Found = {hour: [] for hour in windows}
        counted = {hour: window for hour, window in windows.items() if window.through_offset >= 0}
        small = {hour: counted[hour] for hour in sorted(counted) if _is_small(counted[hour])}
        left = await self._read_together(source, small, found)
        by_hour = {hour: window for hour, window in counted.items() if hour in left or hour not in small}
        for some in _bounded(by_hour):
            await self._read_by_hour(source, some, found)
        return found

    async def _read_by_hour(self, source: LogPartition, windows: Mapping[int, WindowValue], found: Found) -> None:
        asked = [
            (hour, statement)
            for hour, window in windows.items()
            for statement in schema.segments_of_window(hour, source, window)
        ]
        answers = await self._connection.query(self._bucket, *(statement for _, statement in asked))
        for (hour, _), series in zip(asked, answers, strict=True):
            found[hour] += segments_in(series, hour)

    async def _read_together(
        self, source: LogPartition, windows: Mapping[int, WindowValue], found: Found
    ) -> Mapping[int, WindowValue]:
        """Those of the windows that are left to be read hour by hour."""
        left, given_up = dict(windows), 0
        alone: dict[int, WindowValue] = {}
        while left and given_up < _QUERIES:
            hours = _first_run(left)
            if len(hours) == 1:
                # Many of these share a request.
                alone[hours[0]] = left.pop(hours[0])
                continue
            last = await self._read_run(source, windows, hours, found)
            given_up += last < hours[-1]
            left = {hour: window for hour, window in left.items() if hour > last}
        return {**alone, **left}

    async def _read_run(
        self, source: LogPartition, windows: Mapping[int, WindowValue], hours: list[int], found: Found
    ) -> int:
        """The last hour of which all was read: of `hours`, or one in between whose users are too many."""
        waste = 0
        answer = self._connection.stream(
            self._bucket, schema.small_segments_between(hours[0], hours[-1] + HOUR_MS, source), rows=100
        )
        async with aclosing(answer):
            async for series in answer:
                for hour, segment in small_segments_in(series):
                    window = windows.get(hour)
                    if window is not None and segment.belongs_to(window):
                        found[hour].append(segment)
                        continue
                    waste += len(segment.users) + len(segment.ids)
                    if window is None and waste > _WASTE:
                        return hour
        return hours[-1]


def _is_small(window: WindowValue) -> bool:
    actions = sum(window.counts.values()) + window.duplicates
    return actions <= FEW_ACTIONS and window.full_through < 0 and not window.generation


def _first_run(windows: Mapping[int, WindowValue]) -> list[int]:
    run: list[int] = []
    for hour in windows:
        if run and hour - run[-1] > _NEAR:
            break
        run.append(hour)
    return run


def _bounded(windows: Mapping[int, WindowValue]) -> Iterator[dict[int, WindowValue]]:
    """Windows in lots that one answer may hold."""
    lot: dict[int, WindowValue] = {}
    for hour, window in windows.items():
        users = window.unique_users + sum(other.unique_users for other in lot.values())
        if lot and (len(lot) == _HOURS or users > _USERS):
            yield lot
            lot = {}
        lot[hour] = window
    if lot:
        yield lot
