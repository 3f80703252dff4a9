"""Three brokers of which any dies for good: no number changes, and nobody is refused."""

import asyncio

import pytest

from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario
from support.services.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_broker_dies_with_its_disk_and_an_empty_one_takes_its_place(
    environment: Environment, scenario: Scenario, brokers: KafkaCluster, number: int
) -> None:
    dead, other, _ = sorted(brokers.nodes, key=lambda node: (node.number - number) % 3)
    topics = [environment.topic, environment.rejected_topic, "__consumer_offsets"]
    async with scenario.traffic(seed=70 + number):
        await scenario.counted(5_000)
        dead.kill()
        await scenario.recovered(f"{dead.name} killed")
        await scenario.counted(5_000)
        await asyncio.to_thread(brokers.replace, dead, topics)
        # The new one must have all that was acknowledged: each record needs it now.
        other.kill()
        await scenario.recovered(f"{other.name} killed, after an empty broker had taken a dead one's place")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []
