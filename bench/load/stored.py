"""What InfluxDB holds after a run, to compare with the oracle."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from bench.load.traffic import Numbers
from contract.log.progress import LogPartition
from contract.store import Store, StoreReader
from stores.committed import Committed, read_committed
from stores.influx.connection import InfluxConnection
from stores.influx.schema import MS, Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore


class StoredNumbers:
    """The two buckets of one run."""

    def __init__(self, influx: InfluxSettings) -> None:
        self._influx = influx

    async def lines_through(self) -> int:
        """Lines whose progress the store has acknowledged."""
        async with opened(self._influx) as store:
            return await lines_in(store)

    async def ours(self, hours: Iterable[int]) -> dict[int, Numbers]:
        """The committed windows of these hours."""
        async with opened(self._influx) as store:
            return {hour: await numbers_of(store, hour) for hour in hours}

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

    async def raw_points(self) -> int:
        """How many raw actions there are as points: InfluxDB counts them, to read a million takes a while."""
        connection = InfluxConnection(self._influx)
        try:
            (answer,) = await connection.query(
                Bucket.named(self._influx.raw_bucket), 'SELECT COUNT("user") FROM "actions"'
            )
        finally:
            await connection.close()
        return sum(int(row[1]) for series in answer for row in series.values)


@asynccontextmanager
async def opened(influx: InfluxSettings) -> AsyncIterator[InfluxStore]:
    """A store that is closed at the end."""
    store = InfluxStore(influx, clock=lambda: time.time_ns() // MS)
    try:
        yield store
    finally:
        await store.close()


async def lines_in(store: StoreReader) -> int:
    """Lines whose progress is acknowledged."""
    return sum(progress.lines for progress in (await store.read_progress()).values())


async def raw_actions_in(store: Store, hours: Iterable[int]) -> int:
    """How many raw actions of these hours can be read back."""
    sources = await store.read_progress()
    return sum([len(some) for hour in hours for source in sources async for some in store.stream_actions(hour, source)])


async def numbers_of(store: StoreReader, hour: int) -> Numbers:
    """What the committed windows of an hour come to."""
    return numbers_in(await read_committed(store, hour))


def numbers_in(committed: Mapping[LogPartition, Committed]) -> Numbers:
    """What the windows of an hour come to, of all partitions."""
    counts: dict[str, int] = defaultdict(int)
    users = 0
    for _, window in committed.values():
        if window is not None:
            users += window.unique_users
            for event, number in window.counts.items():
                counts[event] += number
    return Numbers(users, counts["click"], counts["impression"])
