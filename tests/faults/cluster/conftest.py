"""Three brokers and three nodes of Cassandra for all scenarios: starting them costs most."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.artifacts.installed import Artifacts
from stores.cassandra.setup import create_schema
from support.cluster.cassandra import CassandraCluster
from support.scenarios.environment import Environment, environment_on
from support.services.kafka_cluster import KafkaCluster

PATIENT = {"ingest_delivery_timeout": "PT20S", "ingest_drain_timeout": "PT60S"}
"""A dead broker's partitions have another leader before that, as docs/operations.md says."""


@pytest.fixture(scope="session")
def shared_brokers(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with KafkaCluster(artifacts, tmp_path_factory.mktemp("brokers")) as brokers:
        yield brokers


@pytest.fixture
def brokers(shared_brokers: KafkaCluster) -> Iterator[KafkaCluster]:
    """A test may do anything to any of them: the next one finds them whole again."""
    yield shared_brokers
    shared_brokers.start_missing()
    shared_brokers.wait_until_whole([])


@pytest.fixture
def nodes(cassandra_cluster: CassandraCluster) -> Iterator[CassandraCluster]:
    """Likewise, with a keyspace of its own.

    Tables that are emptied do not stay so: a write that a node did not acknowledge in time is kept for it afterwards,
    and brings back rows of the test before.
    """
    shared = cassandra_cluster.settings
    keyspace = f"{shared.cassandra_keyspace}_{secrets.token_hex(4)}"
    cassandra_cluster.settings = shared.model_copy(update={"cassandra_keyspace": keyspace})
    asyncio.run(create_schema(cassandra_cluster.settings))
    yield cassandra_cluster
    cassandra_cluster.settings = shared
    for node in cassandra_cluster.nodes:
        if node.process is not None:
            node.process.send(signal.SIGCONT)
    cassandra_cluster.start_missing()
    cassandra_cluster.wait_until_whole()


@pytest.fixture
async def environment(brokers: KafkaCluster, nodes: CassandraCluster, tmp_path: Path) -> AsyncIterator[Environment]:
    """Two workers, one API and one aggregator."""
    async with environment_on(brokers, nodes.settings, tmp_path, **PATIENT) as environment:
        for _ in range(2):
            environment.start_worker()
        yield environment
