"""The stores that the suite runs on: memory, InfluxDB 1.8 and 2.7, Cassandra."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contract.store import Store
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.setup import create_schema
from stores.influx.settings import InfluxSettings
from stores.memory import MemoryStore
from stores.raw.settings import RawStorage
from support.cluster.cassandra import CassandraCluster
from support.services.cassandra import Node, empty_tables
from support.stores import cassandra
from support.stores.environment import AnySettings
from support.stores.subject import INFLUX, STORES, Actions, Subject, raw_actions, store_of


@pytest.fixture(params=INFLUX)
def influx_settings(request: pytest.FixtureRequest) -> InfluxSettings:
    """Each InfluxDB in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def cassandra_of_one(cassandra_server: Node) -> CassandraSettings:
    """One node with empty tables."""
    empty_tables(cassandra_server.settings)
    return cassandra_server.settings


@pytest.fixture(scope="session")
def cassandra_schema(cassandra_cluster: CassandraCluster) -> CassandraSettings:
    """Three nodes with the schema."""
    asyncio.run(create_schema(cassandra_cluster.settings))
    return cassandra_cluster.settings


@pytest.fixture
def cassandra_of_three(cassandra_schema: CassandraSettings) -> CassandraSettings:
    """Three nodes with empty tables."""
    empty_tables(cassandra_schema)
    return cassandra_schema


@pytest.fixture(params=STORES)
def settings_or_none(request: pytest.FixtureRequest) -> AnySettings | None:
    """The settings of each store in turn; None: memory."""
    return None if request.param is None else request.getfixturevalue(request.param)


@pytest.fixture
async def subject(settings_or_none: AnySettings | None) -> AsyncIterator[Subject]:
    """Each store in turn, empty."""
    if settings_or_none is None:
        memory = MemoryStore()

        async def actions() -> Actions:
            return dict(memory.actions)

        yield Subject(memory, actions)
        return
    store = store_of(settings_or_none)
    if isinstance(settings_or_none, CassandraSettings):
        yield Subject(store, lambda: cassandra.raw_actions(settings_or_none))
    else:
        yield Subject(store, lambda: raw_actions(settings_or_none))
    await store.close()


@pytest.fixture
def packed1(influx1: InfluxSettings) -> InfluxSettings:
    """InfluxDB 1.8, which is given raw actions packed."""
    return influx1.model_copy(update={"raw_storage": RawStorage.PACKED})


@pytest.fixture
def packed2(influx2: InfluxSettings) -> InfluxSettings:
    """InfluxDB 2.7, likewise."""
    return influx2.model_copy(update={"raw_storage": RawStorage.PACKED})


@pytest.fixture
def store(subject: Subject) -> Store:
    """The store under test."""
    return subject.store
