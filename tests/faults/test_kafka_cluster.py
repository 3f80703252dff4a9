"""Three brokers of which one restarts, dies, or is missed by an acknowledgement: no number changes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # not in __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.influxdb import InfluxDB
from support.scenarios.environment import Environment, started_environment
from support.scenarios.scenario import Scenario
from support.services.kafka_cluster import KafkaCluster

pytestmark = pytest.mark.faults

SECONDS = 60.0


@pytest.fixture(scope="module")
def shared_cluster(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with KafkaCluster(artifacts, tmp_path_factory.mktemp("kafka-cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    """A test may kill any of its nodes: the next one finds them alive again."""
    yield shared_cluster
    shared_cluster.start_missing()
    shared_cluster.wait_until_whole([])


@pytest.fixture
async def environment(cluster: KafkaCluster, influxdb: InfluxDB, tmp_path: Path) -> AsyncIterator[Environment]:
    async with started_environment(cluster, influxdb.url, tmp_path) as environment:
        yield environment


async def made_whole(cluster: KafkaCluster, environment: Environment) -> None:
    cluster.start_missing()
    await asyncio.to_thread(cluster.wait_until_whole, [environment.topic])


async def test_a_rolling_restart_of_all_brokers(
    environment: Environment, scenario: Scenario, cluster: KafkaCluster
) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=61):
        await scenario.counted(2_000)
        for node in cluster.nodes:
            await asyncio.to_thread(node.stop)
            await scenario.recovered(f"{node.name} told to stop")
            await made_whole(cluster, environment)
        await scenario.recovered("rolling restart of three brokers")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


async def test_the_broker_that_leads_a_partition_is_killed(
    environment: Environment, scenario: Scenario, cluster: KafkaCluster
) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=62):
        await scenario.counted(2_000)
        leader = await asyncio.to_thread(cluster.leader_of, environment.topic, 0)
        leader.kill()

        async def another_leads() -> bool:
            with suppress(KafkaException):
                return await asyncio.to_thread(cluster.leader_of, environment.topic, 0) is not leader
            return False

        await scenario.until("another one leads", another_leads)
        await scenario.recovered("SIGKILL of a leader, two brokers left")
        await scenario.counted(2_000)
        await made_whole(cluster, environment)
        await scenario.recovered("three brokers again")
    assert await scenario.verdict() == []


async def refused(scenario: Scenario) -> None:
    """Returns once clients were told 503, which they take only as a problem with an outcome."""
    before = scenario.ledger.answers.total() - scenario.ledger.answers["acknowledged"]

    async def more() -> bool:
        return scenario.ledger.answers.total() - scenario.ledger.answers["acknowledged"] > before + 3

    await scenario.until("requests are refused", more)


async def test_fewer_in_sync_than_an_acknowledgement_needs(
    environment: Environment, scenario: Scenario, cluster: KafkaCluster
) -> None:
    """The topic is made to need all three, so that the quorum outlives the fault."""
    resource = ConfigResource(ResourceType.TOPIC, environment.topic)
    resource.add_incremental_config(
        ConfigEntry("min.insync.replicas", "3", incremental_operation=AlterConfigOpType.SET)
    )
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    for changed in admin.incremental_alter_configs([resource]).values():
        changed.result(SECONDS)
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=63):
        await scenario.counted(2_000)
        cluster.nodes[0].kill()
        await refused(scenario)
        await made_whole(cluster, environment)
        await scenario.recovered("below min.insync.replicas")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


async def test_two_of_three_brokers_are_killed(
    environment: Environment, scenario: Scenario, cluster: KafkaCluster
) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=64):
        await scenario.counted(2_000)
        for node in cluster.nodes[1:]:
            node.kill()
        await refused(scenario)
        await made_whole(cluster, environment)
        await scenario.recovered("SIGKILL of two of three brokers")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []
