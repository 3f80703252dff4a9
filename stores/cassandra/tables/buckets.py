"""Buckets: which values share a partition of Cassandra, so that a flush is few writes, and a partition bounded."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.store import BLOCK_MS

PARTITIONS: Final = 64
"""Partitions of a log that share a bucket. The number of writes costs, not their bytes: a flush of 64 partitions is
one write, where each partition by itself would be 64."""

HOURS_OF_WINDOWS: Final = BLOCK_MS // HOUR_MS
"""Hours that share a bucket of windows: with 64 partitions, two slots and 250 bytes each, 16 MB."""

HOURS_OF_CHUNKS: Final = 16
"""Hours that share a bucket of the list of segments' chunks: a row for each 32 MB of an hour's users, and each
partition."""

HOURS_OF_RAW_CHUNKS: Final = 1
"""Of the list of raw actions' chunks: where 64 partitions take a million actions a second, an hour has 100,000 rows."""


class Bucket(NamedTuple):
    """A partition key of `windows`, or of a list of chunks."""

    log: str
    partition_bucket: int
    hour_bucket: int


def bucket_of(source: LogPartition, hour: int, hours: int) -> Bucket:
    """The bucket of a partition's hour (ms since the epoch), where so many hours share one."""
    return Bucket(source.log, source.partition // PARTITIONS, hour // HOUR_MS // hours)


def by_bucket(source: LogPartition, of_hours: Mapping[int, object], hours: int) -> Iterator[tuple[Bucket, list[int]]]:
    """A partition's hours, by the bucket that they share."""
    shared: dict[Bucket, list[int]] = {}
    for hour in of_hours:
        shared.setdefault(bucket_of(source, hour, hours), []).append(hour)
    yield from shared.items()
