"""The store in InfluxDB 1.8 and 2.x."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing

from contract.hour import HOUR_MS, hour_of
from contract.log.event_names import BUSINESS_EVENTS
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Rebuild
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
from stores.influx import schema
from stores.influx.connection import InfluxConnection
from stores.influx.line_protocol import manifest_bodies, progress_bodies, result_bodies
from stores.influx.raw import RawBucket
from stores.influx.rows import block_versions_in, manifests_in, progress_in, source_of, windows_in
from stores.influx.schema import MS, Bucket
from stores.influx.segments import SegmentReader
from stores.influx.settings import InfluxSettings
from stores.influx.writer import InfluxWriter


class InfluxStore:
    """Implements contract.store.Store. One instance serves one event loop, and any number of calls at a time."""

    def __init__(
        self, settings: InfluxSettings, clock: Callable[[], int], events: Collection[str] = BUSINESS_EVENTS
    ) -> None:
        """Opens nothing. `clock` tells the ms since the epoch: raw actions older than the retention are not sent.

        `events` have series of their own among the raw actions, and numbers for people; all others share one.
        """
        self._events = frozenset(events)
        self._connection = InfluxConnection(settings)
        self._hourly = Bucket.named(settings.hourly_bucket)
        self._segments = SegmentReader(self._connection, self._hourly)
        side_by_side = settings.influx_connections
        self._results = InfluxWriter(self._connection, self._hourly, side_by_side=side_by_side, expires=False)
        self._raw = RawBucket(self._connection, settings, clock, self._events)

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        await self._raw.write(batches)

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        await self._results.write(result_bodies(windows, segments, self._events))

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        await self._results.write(progress_bodies(points))

    async def write_manifests(self, points: Sequence[ManifestPoint]) -> None:
        await self._results.write(manifest_bodies(points))

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        """As promised by the seam, in two requests.

        Progress rises along a log, and its watermark with it. So a source's highest progress lies in the hour of its
        latest point, whatever other slots that hour has; each source has its own such hour, and is asked for there.
        """
        (latest,) = await self._connection.query(self._hourly, schema.last_progress(source))
        hours = {source_of(series): hour_of(series.values[0][0] // MS) for series in latest}
        if not hours:
            return {}
        statements = [schema.progress_of_hour(hour, source) for hour in sorted(set(hours.values()))]
        highest: dict[LogPartition, Progress] = {}
        for series in await self._connection.query(self._hourly, *statements):
            for key, progress in progress_in(series):
                if key not in highest or progress.through_offset > highest[key].through_offset:
                    highest[key] = progress
        return highest

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self.read_windows_between(hour, hour + HOUR_MS, source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        (series,) = await self._connection.query(self._hourly, schema.windows_between(first, end, source))
        return list(windows_in(series))

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        answer = self._connection.stream(self._hourly, schema.windows_between(first, end, source))
        async with aclosing(answer):
            async for series in answer:
                yield list(windows_in(series))

    async def read_block_versions(self, source: LogPartition) -> dict[int, BlockVersion]:
        (series,) = await self._connection.query(self._hourly, schema.block_versions(source))
        return dict(block_versions_in(series))

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        return (await self.read_segments_of_hours(source, {hour: window}))[hour]

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        return await self._segments.read(source, windows)

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        (series,) = await self._connection.query(self._hourly, schema.manifests(source))
        return {manifest.id: manifest.rebuild for manifest in manifests_in(series)}

    def stream_actions(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        return self._raw.stream(hour, source)

    async def ping(self) -> None:
        await self._connection.query(self._hourly, schema.PROBE)

    async def close(self) -> None:
        await self._connection.close()
