"""What the store holds of a log, as readers see it."""

from collections import Counter

from contract.log.progress import LogPartition
from contract.store import Store
from stores.cassandra.settings import CassandraSettings
from stores.committed import read_committed
from stores.influx.connection import InfluxConnection
from stores.influx.schema import Bucket
from stores.raw.settings import RawStorage
from support.pipeline.oracle import Numbers
from support.stores import cassandra
from support.stores.environment import AnySettings
from support.stores.subject import Actions, raw_actions


async def stored_numbers(store: Store, log: str, hour: int) -> Numbers:
    """The numbers of an hour: the sum over the log's partitions."""
    counts: Counter[str] = Counter()
    duplicates = users = 0
    for source, committed in (await read_committed(store, hour)).items():
        if source.log == log and (window := committed.window) is not None:
            counts.update(window.counts)
            duplicates += window.duplicates
            users += window.unique_users
    return Numbers(dict(counts), duplicates, users)


async def stored_raw_lines(settings: AnySettings, log: str) -> dict[LogPartition, int]:
    """How many raw actions there are of each of the log's partitions."""
    if isinstance(settings, CassandraSettings):
        return _by_source(await cassandra.raw_actions(settings), log)
    if settings.raw_storage is RawStorage.PACKED:
        return _by_source(await raw_actions(settings), log)
    connection = InfluxConnection(settings)
    query = 'SELECT COUNT("user") FROM "actions" GROUP BY "log", "partition"'
    (series_found,) = await connection.query(Bucket.named(settings.raw_bucket), query)
    await connection.close()
    return {
        LogPartition(log, int(series.tags["partition"])): int(series.values[0][1])
        for series in series_found
        if series.tags["log"] == log
    }


def _by_source(found: Actions, log: str) -> dict[LogPartition, int]:
    return dict(Counter(source for source, _ in found if source.log == log))
