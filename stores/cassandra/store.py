"""The store in Cassandra 5."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest, Rebuild
from contract.state import decode_state, encode_state
from contract.store import (
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
from stores.cassandra import queries
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import Mutation, mutations
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.raw import RawRuns
from stores.cassandra.tables.segments import Segments
from stores.cassandra.tables.windows import Windows
from stores.raw.settings import RawStorage
from stores.side_by_side import side_by_side

_WRITES: Final = 4
"""Writes side by side, of at most half a MB each: the driver refuses what it cannot send at once. 50 flushes with a
million new users needed 11 tries more with 16; 20 of them none with 4."""

_OFFSET_TO_WRITE_TIME: Final = 2
"""Offsets begin at -1, and a write time must be positive."""


class CassandraStore:
    """Implements contract.store.Store. One instance serves one event loop, and any number of calls at a time."""

    def __init__(self, settings: CassandraSettings, clock: Callable[[], int]) -> None:
        """Opens nothing. `clock` tells the ms since the epoch: raw actions older than the retention are not sent."""
        self._clock = clock
        self._connection = CassandraConnection(settings)
        self._stores_raw = settings.raw_storage is not RawStorage.OFF
        self._raw = RawRuns(self._connection, settings)
        self._windows = Windows(self._connection)
        self._segments = Segments(self._connection)

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        if self._stores_raw:
            appended = await self._raw.write(batches, self._clock())
            await self._write(appended.mutations)
            appended.acknowledged()

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        appended = self._segments.write(segments)
        await self._write([*appended.mutations, *self._windows.mutations(windows)])
        appended.acknowledged()
        self._windows.acknowledged(windows)

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        """As promised by the seam; a slot is not needed, as the highest offset wins whenever it arrives."""
        rows = (
            (queries.ALL, *source, encode_state(value), value.through_offset + _OFFSET_TO_WRITE_TIME)
            for source, _, value in points
        )
        await self._write(mutations(queries.PUT_PROGRESS, rows))

    async def write_manifests(self, points: Sequence[ManifestPoint]) -> None:
        rows = ((*source, manifest.id, encode_state(manifest)) for source, manifest in points)
        await self._write(Mutation(queries.PUT_MANIFEST, [row]) for row in rows)

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        query = queries.PROGRESS if source is None else queries.PROGRESS_OF_SOURCE
        rows = await self._connection.select(query, queries.ALL, *(source or ()))
        return {LogPartition(log, partition): decode_state(state, Progress) for log, partition, state in rows}

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self._windows.read(hour, hour + HOUR_MS, source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self._windows.read(first, end, source)

    def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        return self._windows.stream(first, end, source)

    async def read_block_versions(self, source: LogPartition) -> dict[int, BlockVersion]:
        return await self._windows.versions(source)

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        return (await self.read_segments_of_hours(source, {hour: window}))[hour]

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        return await self._segments.read(source, windows)

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        rows = await self._connection.select(queries.MANIFESTS, *source)
        manifests = [decode_state(state, Manifest) for (state,) in rows]
        return {manifest.id: manifest.rebuild for manifest in manifests}

    def stream_actions(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        return self._raw.stream(hour, source)

    async def ping(self) -> None:
        await self._connection.select(queries.PROBE, queries.ALL)

    async def close(self) -> None:
        await self._connection.close()

    async def _write(self, writes: Iterable[Mutation]) -> None:
        await side_by_side(map(self._connection.write, writes), _WRITES)
