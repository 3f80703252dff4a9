"""Everything is restarted, one after the other, under load: no answer but 2xx, and every action counts once."""

import asyncio

import pytest

from support.cluster.cassandra import CassandraCluster
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario
from support.services.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1_800)]

ACTIONS_A_SECOND = 20_000
"""So many are offered; the end of the run shows how many were taken."""

STALE_SECONDS = 60
"""No answer is older: what docs/operations.md promises, three times what two cores that do all of this took."""


async def test_a_rolling_restart_of_everything(
    environment: Environment, scenario: Scenario, nodes: CassandraCluster, brokers: KafkaCluster
) -> None:
    load = {"concurrency": 6, "batch": 1_000, "pause": 0.0, "rate": ACTIONS_A_SECOND}
    async with scenario.traffic(seed=90, **load):
        await scenario.counted(50_000)
        for node in nodes.nodes:
            await asyncio.to_thread(node.stop)
            await scenario.counted(20_000)
            node.start()
            await asyncio.to_thread(nodes.wait_until_whole)
        for broker in brokers.nodes:
            await asyncio.to_thread(broker.stop)
            await scenario.counted(20_000)
            broker.start()
            await asyncio.to_thread(brokers.wait_until_whole, [environment.topic])
        for worker in environment.workers[:2]:
            await asyncio.to_thread(worker.stop)
            environment.start_worker()
            await scenario.counted(20_000)
        await asyncio.to_thread(environment.restart_api)
        await asyncio.to_thread(environment.restart_aggregator)
        await scenario.counted(20_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []
    assert scenario.monitor.worst_staleness <= STALE_SECONDS
