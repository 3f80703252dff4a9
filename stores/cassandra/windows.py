"""Windows in Cassandra."""

from collections.abc import Iterable, Iterator
from typing import Final

from contract.hour import HOUR_MS
from contract.progress import LogPartition
from contract.state import decode_state, encode_state
from contract.store import WindowPoint
from contract.window_value import WindowValue
from stores.cassandra import queries
from stores.cassandra.buckets import HOURS_OF_WINDOWS, Bucket, bucket_of, hours_in
from stores.cassandra.connection import CassandraConnection, Row
from stores.cassandra.mutations import Mutation, mutations
from stores.side_by_side import side_by_side

_READS: Final = 16
_FEW: Final = 2
"""So many buckets are read without a look at which there are."""


class Windows:
    """The tables `windows` and `window_buckets`."""

    def __init__(self, connection: CassandraConnection) -> None:
        self._connection = connection
        self._listed: set[Bucket] = set()

    def mutations(self, points: Iterable[WindowPoint]) -> list[Mutation]:
        """What to write: the values, and the buckets that are not known to be listed."""
        rows: dict[Bucket, list[tuple[object, ...]]] = {}
        for source, hour, slot, value in points:
            bucket = bucket_of(source, hour, HOURS_OF_WINDOWS)
            row = (*bucket, hour, source.partition, slot, encode_state(value))
            rows.setdefault(bucket, []).append(row)
        writes = [write for some in rows.values() for write in mutations(queries.PUT_WINDOW, some)]
        unlisted = rows.keys() - self._listed
        listing = [(queries.ALL, hours, log, partitions) for log, partitions, hours in unlisted]
        return [*writes, *mutations(queries.PUT_WINDOW_BUCKET, listing)]

    def acknowledged(self, points: Iterable[WindowPoint]) -> None:
        """All of `mutations` was written."""
        self._listed |= {bucket_of(point.source, point.hour, HOURS_OF_WINDOWS) for point in points}

    async def read(self, first: int, end: int, source: LogPartition | None) -> list[WindowPoint]:
        """All values from `first` up to, not including, `end` (ms): of all partitions, or of one."""
        buckets = await self._buckets(first, end, source)
        found = await side_by_side((self._rows(bucket, first, end, source) for bucket in buckets), _READS)
        return [point for bucket, rows in zip(buckets, found, strict=True) for point in _points(bucket.log, rows)]

    async def _buckets(self, first: int, end: int, source: LogPartition | None) -> list[Bucket]:
        lowest, highest = (hour // HOUR_MS // HOURS_OF_WINDOWS for hour in (first, end - 1))
        if source is not None and highest - lowest < _FEW:
            return [
                bucket_of(source, hours * HOURS_OF_WINDOWS * HOUR_MS, HOURS_OF_WINDOWS)
                for hours in range(lowest, highest + 1)
            ]
        rows = await self._connection.select(queries.WINDOW_BUCKETS, queries.ALL, lowest, highest)
        found = [Bucket(*row) for row in rows]
        if source is None:
            return found
        return [one for one in found if one[:2] == bucket_of(source, 0, HOURS_OF_WINDOWS)[:2]]

    async def _rows(self, bucket: Bucket, first: int, end: int, source: LogPartition | None) -> list[Row]:
        if source is None:
            return await self._connection.select(queries.WINDOWS, *bucket, first, end)
        hours = hours_in(bucket, first, end, HOURS_OF_WINDOWS)
        return await self._connection.select(queries.WINDOWS_OF_SOURCE, *bucket, hours, source.partition)


def _points(log: str, rows: Iterable[Row]) -> Iterator[WindowPoint]:
    for hour, partition, slot, state in rows:
        yield WindowPoint(LogPartition(log, partition), hour, slot, decode_state(state, WindowValue))
