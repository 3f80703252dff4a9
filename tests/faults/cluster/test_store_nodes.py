"""Three nodes of Cassandra of which any dies for good, or hangs: no number changes, and nobody is refused."""

import asyncio
import signal

import pytest

from support.cluster.cassandra import CassandraCluster
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_node_dies_with_its_disk_and_an_empty_one_takes_its_place(
    scenario: Scenario, nodes: CassandraCluster, number: int
) -> None:
    dead, other, _ = sorted(nodes.nodes, key=lambda node: (node.number - number) % 3)
    async with scenario.traffic(seed=80 + number):
        await scenario.counted(5_000)
        dead.kill()
        await scenario.counted(5_000)
        await asyncio.to_thread(nodes.replace, dead)
        await scenario.counted(5_000)
    # The new one must know all that was acknowledged: each majority needs it now.
    other.kill()
    assert await scenario.verdict() == []
    assert scenario.refusals() == []


async def test_a_node_hangs_for_20_s(scenario: Scenario, nodes: CassandraCluster) -> None:
    node = await asyncio.to_thread(nodes.asked_first)
    async with scenario.traffic(seed=84):
        await scenario.counted(5_000)
        process = node.process
        assert process is not None
        process.send(signal.SIGSTOP)
        await asyncio.sleep(20)
        process.send(signal.SIGCONT)
        await scenario.recovered("20 s of SIGSTOP of one of three store nodes")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []


async def test_two_of_three_nodes_are_away_then_back(
    environment: Environment, scenario: Scenario, nodes: CassandraCluster
) -> None:
    async def is_refused() -> bool:
        return scenario.monitor.refused > 0

    async with scenario.traffic(seed=85):
        await scenario.counted(5_000)
        for node in nodes.nodes[1:]:
            node.kill()
        await scenario.until("a reader is answered 503", is_refused)
        for worker in environment.workers:
            assert worker.running.is_alive()
        nodes.start_missing()
        await asyncio.to_thread(nodes.wait_until_whole)
        await scenario.recovered("two of three store nodes away")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert set(scenario.ledger.answers) == {"acknowledged"}
