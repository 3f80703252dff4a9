"""A node of Cassandra that clients reach and the other nodes do not: no number changes, and nobody is refused."""

import asyncio

import pytest

from support.cluster.cassandra import CassandraCluster
from support.scenarios.scenario import Scenario

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


async def test_a_node_is_cut_off_from_the_others_but_not_from_its_clients(
    scenario: Scenario, nodes: CassandraCluster
) -> None:
    lonely = await asyncio.to_thread(nodes.asked_first)
    async with scenario.traffic(seed=86):
        await scenario.counted(5_000)
        with nodes.network.cut_off(lonely.known_as):
            # First it believes in the others and waits for them; once it takes them for dead, it refuses at once.
            await asyncio.to_thread(nodes.wait_until_dead, lonely)
            assert lonely.answers()
            await scenario.counted(5_000)
        await asyncio.to_thread(nodes.wait_until_whole)
        await scenario.recovered("a store node cut off from the others")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []
