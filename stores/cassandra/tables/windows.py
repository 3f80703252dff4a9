"""Windows in Cassandra."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition
from contract.state import decode_state, encode_state
from contract.store import BLOCK_MS, BlockVersion, WindowPoint
from contract.windows.window_value import WindowValue
from stores.cassandra import queries
from stores.cassandra.driver.answers import Row
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import Mutation, mutations
from stores.cassandra.tables.buckets import HOURS_OF_WINDOWS, PARTITIONS, Bucket, bucket_of
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
            row = (*bucket, source.partition, hour, slot, encode_state(value), value.through_offset)
            rows.setdefault(bucket, []).append(row)
        writes = [write for some in rows.values() for write in mutations(queries.PUT_WINDOW, some)]
        unlisted = sorted(rows.keys() - self._listed)
        listing = [(queries.ALL, hours, log, partitions) for log, partitions, hours in unlisted]
        return [*writes, *mutations(queries.PUT_WINDOW_BUCKET, listing)]

    def acknowledged(self, points: Iterable[WindowPoint]) -> None:
        """All of `mutations` was written."""
        self._listed |= {bucket_of(point.source, point.hour, HOURS_OF_WINDOWS) for point in points}

    async def read(self, first: int, end: int, source: LogPartition | None) -> list[WindowPoint]:
        """All values from `first` up to, not including, `end` (ms): of all partitions, or of one."""
        buckets = await self._buckets(first, end, source)
        found = await side_by_side((self._read(bucket, first, end, source) for bucket in buckets), _READS)
        return [point for points in found for point in points]

    async def stream(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        """What `read` gives of one partition, in portions, in the order of the hours."""
        for bucket in sorted(await self._buckets(first, end, source)):
            span = (*bucket, [source.partition], first, end)
            async for rows in self._connection.stream(queries.WINDOWS, *span):
                yield [_point(bucket, row) for row in rows]

    async def versions(self, source: LogPartition) -> dict[int, BlockVersion]:
        """By the start of each block of hours that has values. A bucket's hours are a block."""
        buckets = await self._buckets(0, END_OF_TIME_MS, source)
        answers = await side_by_side(
            (self._connection.select(queries.BLOCK_VERSION, *bucket, source.partition) for bucket in buckets), _READS
        )
        return {
            bucket.hour_bucket * BLOCK_MS: BlockVersion(*row)
            for bucket, (row,) in zip(buckets, answers, strict=True)
            if row[0]
        }

    async def _buckets(self, first: int, end: int, source: LogPartition | None) -> list[Bucket]:
        lowest, highest = (hour // HOUR_MS // HOURS_OF_WINDOWS for hour in (first, end - 1))
        if source is not None and highest - lowest < _FEW:
            own = bucket_of(source, 0, HOURS_OF_WINDOWS)
            return [own._replace(hour_bucket=hours) for hours in range(lowest, highest + 1)]
        rows = await self._connection.select(queries.WINDOW_BUCKETS, queries.ALL, lowest, highest)
        found = [Bucket(*row) for row in rows]
        if source is None:
            return found
        return [one for one in found if one[:2] == bucket_of(source, 0, HOURS_OF_WINDOWS)[:2]]

    async def _read(self, bucket: Bucket, first: int, end: int, source: LogPartition | None) -> list[WindowPoint]:
        partitions = _partitions(bucket) if source is None else [source.partition]
        rows = await self._connection.select(queries.WINDOWS, *bucket, partitions, first, end)
        return [_point(bucket, row) for row in rows]


def _partitions(bucket: Bucket) -> list[int]:
    first = bucket.partition_bucket * PARTITIONS
    return list(range(first, first + PARTITIONS))


def _point(bucket: Bucket, row: Row) -> WindowPoint:
    partition, hour, slot, state = row
    return WindowPoint(LogPartition(bucket.log, partition), hour, slot, decode_state(state, WindowValue))
