"""A store under test, and a way to read the raw actions it holds."""

import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

import pytest

from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.store import Store
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.store import CassandraStore
from stores.influx.connection import InfluxConnection
from stores.influx.schema import MS, Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from stores.raw.packing import unpack
from support.stores.environment import AnySettings

INFLUX = [
    pytest.param("influx1", id="influx-1.8"),
    pytest.param("influx2", id="influx-2.7", marks=pytest.mark.influx2),
]
"""The fixtures of each InfluxDB's settings."""

CASSANDRA = [
    pytest.param("cassandra_of_one", id="cassandra"),
    pytest.param("cassandra_of_three", id="cassandra-3-nodes", marks=pytest.mark.cluster),
]
"""Likewise."""

STORES = [pytest.param(None, id="memory"), *INFLUX, *CASSANDRA]
"""Likewise of every store; None: memory, which has none."""

RAW = [
    *STORES,
    pytest.param("packed1", id="influx-1.8-packed"),
    pytest.param("packed2", id="influx-2.7-packed", marks=pytest.mark.influx2),
]
"""Of every store, and of each way to store raw actions."""

Actions = dict[tuple[LogPartition, int], Action]


class Subject(NamedTuple):
    """A store, and its raw actions by source and line number."""

    store: Store
    actions: Callable[[], Awaitable[Actions]]


def now() -> int:
    """Ms since the epoch."""
    return time.time_ns() // MS


def store_of(settings: AnySettings) -> Store:
    """The store that a test's settings lead to."""
    return CassandraStore(settings, now) if isinstance(settings, CassandraSettings) else InfluxStore(settings, now)


async def raw_actions(settings: InfluxSettings) -> Actions:
    """What the raw bucket holds, by source and line number."""
    connection = InfluxConnection(settings)
    query = 'SELECT "user", "id", "name" FROM "actions" GROUP BY "event", "lap", "log", "partition"'
    (found,) = await connection.query(Bucket.named(settings.raw_bucket), query)
    actions = await _packed_actions(connection, Bucket.named(settings.raw_bucket))
    await connection.close()
    for series in found:
        source = LogPartition(series.tags["log"], int(series.tags["partition"]))
        for time_ns, user, action_id, name in series.values:
            timestamp, number = divmod(time_ns, MS)
            key = source, int(series.tags["lap"]) * MS + number
            assert key not in actions
            actions[key] = Action(timestamp, user, name or series.tags["event"], action_id)
    return actions


async def _packed_actions(connection: InfluxConnection, bucket: Bucket) -> Actions:
    (found,) = await connection.query(bucket, 'SELECT "packed" FROM "action_runs" GROUP BY "log", "partition"')
    return united(
        (LogPartition(series.tags["log"], int(series.tags["partition"])), b64decode(packed))
        for series in found
        for _, packed in series.values
    )


def united(runs: Iterable[tuple[LogPartition, bytes]]) -> Actions:
    """What packed runs hold; where a line is in several, it is the same in each."""
    actions: Actions = {}
    for source, packed in runs:
        for number, action in unpack(packed):
            assert actions.setdefault((source, number), action) == action
    return actions
