"""Raw actions in Cassandra: packed runs, appended to chunks, and found again by a list of these."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.store import RawActions, StoredAction
from stores.cassandra import queries
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import Mutation, Values, mutations
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.buckets import HOURS_OF_RAW_CHUNKS, Bucket, bucket_of
from stores.cassandra.tables.chunks import Appended, Chunks
from stores.raw.coverage import Coverage
from stores.raw.packing import unpack
from stores.raw.runs import Run, runs_off_loop

CHUNK_BYTES: Final = 64 * 1024 * 1024

CHUNK_AGE: Final = HOUR_MS
"""A chunk's row in the list expires so much later than the runs that are there when it is written."""

_RUNS_AT_ONCE: Final = 50
"""Runs in a page: 2 MB."""

_SECOND: Final = 1_000


class _Listed(NamedTuple):
    """What the list says of a chunk: raw actions of this hour of this partition are in it."""

    source: LogPartition
    hour: int

    @property
    def bucket(self) -> Bucket:
        return bucket_of(self.source, self.hour, HOURS_OF_RAW_CHUNKS)


class RawWrite(NamedTuple):
    """Raw actions on their way: they are stored once all of `mutations` are acknowledged."""

    mutations: list[Mutation]
    appended: list[Appended[_Listed]]

    def acknowledged(self) -> None:
        """All of it was written: these hours need no further row in the list."""
        for one in self.appended:
            one.acknowledged()


class RawRuns:
    """The tables `action_runs` and `action_chunks`."""

    def __init__(
        self, connection: CassandraConnection, settings: CassandraSettings, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self._connection = connection
        self._age = settings.raw_age_ms
        self._seconds_kept = int(settings.raw_retention.total_seconds())
        self._chunks: Chunks[_Listed] = Chunks(chunk_bytes, CHUNK_AGE)

    async def write(self, batches: Iterable[RawActions], now: int) -> RawWrite:
        """What to write at the instant `now` (ms since the epoch): hours that expire soon are left out."""
        runs = await runs_off_loop(batches, now - self._age)
        appended = self._chunks.append(((_Listed(run.source, run.hour), self._row(run)) for run in runs), now)
        writes: list[Mutation] = []
        for one in appended:
            writes += mutations(queries.PUT_ACTION_RUN, one.rows)
            writes += self._listing(one)
        return RawWrite(writes, appended)

    async def stream(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        """As RawReader.stream_actions."""
        covered = Coverage()
        bucket = bucket_of(source, hour, HOURS_OF_RAW_CHUNKS)
        for (chunk,) in await self._connection.select(queries.ACTION_CHUNKS, *bucket, source.partition, hour):
            pages = self._connection.stream(queries.ACTION_RUNS, chunk, *source, hour, rows_at_once=_RUNS_AT_ONCE)
            async for rows in pages:
                for (packed,) in rows:
                    yield covered.unread(unpack(packed))

    def _row(self, run: Run) -> Values:
        return (*run.source, run.hour, run.first_line, run.length, run.packed, self._seconds_kept)

    def _listing(self, appended: Appended[_Listed]) -> Iterator[Mutation]:
        kept = self._seconds_kept + CHUNK_AGE // _SECOND
        by_list: dict[Bucket, list[Values]] = {}
        for one in sorted(appended.unlisted()):
            row = (*one.bucket, one.source.partition, one.hour, appended.chunk.number, kept)
            by_list.setdefault(one.bucket, []).append(row)
        for rows in by_list.values():
            yield from mutations(queries.PUT_ACTION_CHUNK, rows)
