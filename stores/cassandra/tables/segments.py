"""Segments in Cassandra: appended to chunks, and found again by a list of these."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from contract.errors import StateUnreadable
from contract.log.progress import LogPartition
from contract.store import SegmentPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.cassandra import queries
from stores.cassandra.driver.answers import Row, Rows
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import Mutation, Values, mutations
from stores.cassandra.tables.buckets import HOURS_OF_CHUNKS, bucket_of, by_bucket
from stores.cassandra.tables.chunks import Appended, Chunk, Chunks
from stores.side_by_side import side_by_side

CHUNK_BYTES: Final = 32 * 1024 * 1024
"""The size of a chunk. Each begins with a row in the list for each window in it, so it is no smaller."""

_LISTS: Final = 16
"""Reads of the list side by side."""

_READS: Final = 4
_ROWS_AT_ONCE: Final = 100
"""Reads of segments side by side, and segments in a page: 5 MB of the largest. With 16 reads and 500 rows, a node with
768 MB of memory gave up on a window of 50 million users."""

_HASH_BYTES: Final = 8


class _Listed(NamedTuple):
    """What the list says of a chunk: segments of this kind, of this window, are in it."""

    source: LogPartition
    hour: int
    generation: int
    full: bool


class SegmentWrite(NamedTuple):
    """Segments on their way: they are stored once all of `mutations` are acknowledged."""

    mutations: list[Mutation]
    appended: list[Appended[_Listed]]

    def acknowledged(self) -> None:
        """All of it was written: these windows need no further row in the list."""
        for one in self.appended:
            one.acknowledged()


class Segments:
    """The tables `segments` and `segment_chunks`."""

    def __init__(self, connection: CassandraConnection, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._connection = connection
        self._appender: Chunks[_Listed] = Chunks(chunk_bytes)

    def write(self, points: Iterable[SegmentPoint]) -> SegmentWrite:
        """What to write: the segments, and for each chunk the windows that are not known to be listed."""
        appended = self._appender.append((_listed(point), _row(point)) for point in points)
        writes: list[Mutation] = []
        for one in appended:
            writes += mutations(queries.PUT_SEGMENT, one.rows)
            writes += _listing(one.chunk, one.unlisted())
        return SegmentWrite(writes, appended)

    async def read(self, source: LogPartition, windows: Mapping[int, WindowValue]) -> dict[int, list[Segment]]:
        """By hour, the segments that belong to its value.

        Where two processes stored the same segment, both are given: what a window holds is the union.
        """
        counted = {hour: window for hour, window in windows.items() if window.through_offset >= 0}
        chunks = await self._chunks(source, counted)
        asked = [(hour, chunk, full) for hour, of_hour in chunks.items() for chunk, full in sorted(of_hour)]
        answers = await side_by_side(
            (self._rows(chunk, source, hour, counted[hour], full=full) for hour, chunk, full in asked), _READS
        )
        found: dict[int, list[Segment]] = {hour: [] for hour in windows}
        for (hour, _, _), rows in zip(asked, answers, strict=True):
            found[hour] += map(_segment, rows)
        return found

    async def _chunks(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, set[tuple[int, bool]]]:
        """By hour, the chunks that hold segments of the value's generation, and whether full ones."""
        buckets = list(by_bucket(source, windows, HOURS_OF_CHUNKS))
        answers = await side_by_side(
            (
                self._connection.select(queries.SEGMENT_CHUNKS, *bucket, source.partition, hours)
                for bucket, hours in buckets
            ),
            _LISTS,
        )
        found: dict[int, set[tuple[int, bool]]] = {}
        for hour, generation, full, chunk in (row for rows in answers for row in rows):
            window = windows[hour]
            if generation == window.generation and (not full or window.full_through >= 0):
                found.setdefault(hour, set()).add((chunk, full))
        return found

    async def _rows(self, chunk: int, source: LogPartition, hour: int, window: WindowValue, *, full: bool) -> Rows:
        above = window.full_through - 1 if full else window.full_through
        through = window.full_through if full else window.through_offset
        return await self._connection.select(
            queries.SEGMENTS,
            chunk,
            *source,
            hour,
            window.generation,
            full,
            above,
            through,
            rows_at_once=_ROWS_AT_ONCE,
        )


def _listed(point: SegmentPoint) -> _Listed:
    return _Listed(point.source, point.hour, point.segment.generation, point.segment.full)


def _row(point: SegmentPoint) -> Values:
    source, hour, one = point
    return (*source, hour, one.generation, one.full, one.through_offset, one.part, one.parts, one.users, one.ids)


def _listing(chunk: Chunk[_Listed], windows: set[_Listed]) -> list[Mutation]:
    by_list: dict[object, list[Values]] = {}
    for source, hour, generation, full in sorted(windows):
        bucket = bucket_of(source, hour, HOURS_OF_CHUNKS)
        row = (*bucket, source.partition, hour, generation, full, chunk.number)
        by_list.setdefault(bucket, []).append(row)
    return [write for rows in by_list.values() for write in mutations(queries.PUT_SEGMENT_CHUNK, rows)]


def _segment(row: Row) -> Segment:
    segment = Segment(*row)
    if len(segment.users) % _HASH_BYTES or len(segment.ids) % _HASH_BYTES:
        raise StateUnreadable(
            f"segment through {segment.through_offset}: {len(segment.users)} bytes of users and {len(segment.ids)} of "
            f"ids are no multiples of {_HASH_BYTES}"
        )
    return segment
