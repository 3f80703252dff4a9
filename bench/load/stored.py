"""What InfluxDB holds after a run, to compare with the oracle."""

import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable

from bench.load.traffic import Numbers
from stores.committed import read_committed
from stores.influx.connection import InfluxConnection
from stores.influx.schema import MS, Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from stores.raw.packing import unpack


class StoredNumbers:
    """The two buckets of one run."""

    def __init__(self, influx: InfluxSettings) -> None:
        self._influx = influx

    async def lines_through(self) -> int:
        """Lines whose progress the store has acknowledged."""
        store = self._store()
        try:
            return sum(progress.lines for progress in (await store.read_progress()).values())
        finally:
            await store.close()

    async def ours(self, hours: Iterable[int]) -> dict[int, Numbers]:
        """The committed windows of these hours."""
        store = self._store()
        try:
            return {hour: await _numbers(store, hour) for hour in hours}
        finally:
            await store.close()

    async def hand_written(self) -> dict[int, Numbers]:
        """The hours that the hand-written loop stored."""
        query = 'SELECT "unique_users", "clicks", "impressions" FROM "by_hour"'
        found: dict[int, Numbers] = {}
        connection = InfluxConnection(self._influx)
        try:
            (answer,) = await connection.query(Bucket.named(self._influx.hourly_bucket), query)
        finally:
            await connection.close()
        for series in answer:
            found |= {row[0] // MS: Numbers(*row[1:]) for row in series.values}
        return found

    async def raw_actions(self) -> int:
        """How many raw actions there are, as points and packed."""
        connection = InfluxConnection(self._influx)
        queries = 'SELECT COUNT("user") FROM "actions"', 'SELECT "packed" FROM "action_runs"'
        try:
            points, runs = await connection.query(Bucket.named(self._influx.raw_bucket), *queries)
        finally:
            await connection.close()
        in_runs = sum(len(unpack(b64decode(row[1]))) for series in runs for row in series.values)
        return in_runs + sum(int(row[1]) for series in points for row in series.values)

    def _store(self) -> InfluxStore:
        return InfluxStore(self._influx, clock=lambda: time.time_ns() // MS)


async def _numbers(store: InfluxStore, hour: int) -> Numbers:
    counts: dict[str, int] = defaultdict(int)
    users = 0
    for committed in (await read_committed(store, hour)).values():
        if committed.window is not None:
            users += committed.window.unique_users
            for event, number in committed.window.counts.items():
                counts[event] += number
    return Numbers(users, counts["click"], counts["impression"])
