"""Three brokers of which any dies for good: no number changes, and nobody is refused."""

import asyncio
import signal

import pytest

from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario
from support.services.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

RECOVERED_SECONDS = 60
"""What docs/operations.md promises: three times what two cores that do all of this took."""


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


async def test_the_machine_of_a_broker_vanishes_then_comes_back(
    environment: Environment, scenario: Scenario, brokers: KafkaCluster
) -> None:
    leader = await asyncio.to_thread(brokers.leader_of, environment.topic, 0)
    async with scenario.traffic(seed=78):
        await scenario.counted(5_000)
        process = leader.process
        assert process is not None
        # Unlike after a kill nobody is told: connections stay open, and nothing answers.
        process.send(signal.SIGSTOP)
        # It meets the one that does not answer while it joins, and while it asks where to begin.
        environment.start_worker()
        try:
            await scenario.recovered(f"{leader.name} stopped", within=RECOVERED_SECONDS)
            await scenario.counted(5_000)
        finally:
            process.send(signal.SIGCONT)
        await scenario.recovered(f"{leader.name} continued")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []
