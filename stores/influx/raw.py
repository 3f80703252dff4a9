"""The bucket of raw actions: points, or packed runs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Final

from contract.log.progress import LogPartition
from contract.store import RawActions, StoredAction
from stores.influx import schema
from stores.influx.connection import InfluxConnection
from stores.influx.line_protocol import action_bodies, run_bodies
from stores.influx.rows import actions_in, runs_in
from stores.influx.schema import Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.writer import InfluxWriter
from stores.raw.coverage import Coverage
from stores.raw.runs import runs_off_loop
from stores.raw.settings import RawStorage

_RUNS_AT_ONCE: Final = 20
"""A MB of an answer."""


class RawBucket:
    """Writes raw actions as the settings say, and reads them however they were written."""

    def __init__(
        self,
        connection: InfluxConnection,
        settings: InfluxSettings,
        clock: Callable[[], int],
        events: frozenset[str],
    ) -> None:
        """`clock` and `events` as for InfluxStore."""
        self._connection = connection
        self._bucket = Bucket.named(settings.raw_bucket)
        self._writer = InfluxWriter(connection, self._bucket, side_by_side=settings.influx_connections, expires=True)
        self._storage = settings.raw_storage or RawStorage.POINTS
        self._age = settings.raw_age_ms
        self._clock = clock
        self._events = events

    async def write(self, batches: Sequence[RawActions]) -> None:
        """As StoreWriter.write_actions."""
        oldest = self._clock() - self._age
        if self._storage is RawStorage.POINTS:
            await self._writer.write(action_bodies(batches, oldest, self._events))
        elif self._storage is RawStorage.PACKED:
            await self._writer.write(run_bodies(await runs_off_loop(batches, oldest)))

    async def stream(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        """As RawReader.stream_actions. Runs before points: a line is both where the setting changed between replays."""
        covered = Coverage()
        runs = schema.action_runs_of_hour(hour, source)
        async with aclosing(self._connection.stream(self._bucket, runs, rows=_RUNS_AT_ONCE)) as answer:
            async for series in answer:
                for run in runs_in(series):
                    yield covered.unread(run)
        last: StoredAction | None = None
        async with aclosing(self._connection.stream(self._bucket, schema.actions_of_hour(hour, source))) as answer:
            async for series in answer:
                new = [one for one, _ in groupby(actions_in(series)) if one.line not in covered and one != last]
                last = new[-1] if new else last
                yield new
