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
from support.scenarios.environment import Stage, staged
from support.scenarios.scenario import Trial
from support.services.kafka_cluster import KafkaCluster

pytestmark = pytest.mark.faults

SECONDS = 60.0


@pytest.fixture(scope="module")
def cluster_of_all(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with KafkaCluster(artifacts, tmp_path_factory.mktemp("kafka-cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(cluster_of_all: KafkaCluster) -> Iterator[KafkaCluster]:
    """A test may kill any of its nodes: the next one finds them alive again."""
    yield cluster_of_all
    cluster_of_all.start_missing()
    cluster_of_all.wait_until_whole([])


@pytest.fixture
async def stage(cluster: KafkaCluster, influxdb: InfluxDB, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(cluster, influxdb.url, tmp_path) as stage:
        yield stage


async def made_whole(cluster: KafkaCluster, stage: Stage) -> None:
    cluster.start_missing()
    await asyncio.to_thread(cluster.wait_until_whole, [stage.topic])


async def test_a_rolling_restart_of_all_brokers(stage: Stage, trial: Trial, cluster: KafkaCluster) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=61):
        await trial.counted(2_000)
        for node in cluster.nodes:
            await asyncio.to_thread(node.stop)
            await trial.recovered(f"{node.name} told to stop")
            await made_whole(cluster, stage)
        await trial.recovered("rolling restart of three brokers")
        await trial.counted(2_000)
    assert await trial.verdict() == []


async def test_the_broker_that_leads_a_partition_is_killed(stage: Stage, trial: Trial, cluster: KafkaCluster) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=62):
        await trial.counted(2_000)
        leader = await asyncio.to_thread(cluster.leader_of, stage.topic, 0)
        leader.kill()

        async def another_leads() -> bool:
            with suppress(KafkaException):
                return await asyncio.to_thread(cluster.leader_of, stage.topic, 0) is not leader
            return False

        await trial.until("another one leads", another_leads)
        await trial.recovered("SIGKILL of a leader, two brokers left")
        await trial.counted(2_000)
        await made_whole(cluster, stage)
        await trial.recovered("three brokers again")
    assert await trial.verdict() == []


async def refused(trial: Trial) -> None:
    """Returns once clients were told 503, which they take for nothing but a problem with its outcome."""
    before = trial.ledger.answers.total() - trial.ledger.answers["acknowledged"]

    async def more() -> bool:
        return trial.ledger.answers.total() - trial.ledger.answers["acknowledged"] > before + 3

    await trial.until("requests are refused", more)


async def test_fewer_in_sync_than_an_acknowledgement_needs(stage: Stage, trial: Trial, cluster: KafkaCluster) -> None:
    """The topic is made to need all three, so that the quorum outlives the fault."""
    resource = ConfigResource(ResourceType.TOPIC, stage.topic)
    resource.add_incremental_config(
        ConfigEntry("min.insync.replicas", "3", incremental_operation=AlterConfigOpType.SET)
    )
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    for changed in admin.incremental_alter_configs([resource]).values():
        changed.result(SECONDS)
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=63):
        await trial.counted(2_000)
        cluster.nodes[0].kill()
        await refused(trial)
        await made_whole(cluster, stage)
        await trial.recovered("below min.insync.replicas")
        await trial.counted(2_000)
    assert await trial.verdict() == []


async def test_two_of_three_brokers_are_killed(stage: Stage, trial: Trial, cluster: KafkaCluster) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=64):
        await trial.counted(2_000)
        for node in cluster.nodes[1:]:
            node.kill()
        await refused(trial)
        await made_whole(cluster, stage)
        await trial.recovered("SIGKILL of two of three brokers")
        await trial.counted(2_000)
    assert await trial.verdict() == []
