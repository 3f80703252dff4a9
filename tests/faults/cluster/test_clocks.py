"""Clocks that are set back, of a node of Cassandra and of a worker: no number changes, and nobody is refused."""

import asyncio
from pathlib import Path

import pytest

from support.cluster.cassandra import CassandraCluster
from support.cluster.clock import SetClock
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


async def test_a_node_s_and_a_worker_s_clocks_are_set_back_by_10_s(
    environment: Environment, scenario: Scenario, nodes: CassandraCluster, tmp_path: Path
) -> None:
    # The others take its messages for older than they may be, so it answers nothing that needs them.
    node = await asyncio.to_thread(nodes.asked_first)
    of_worker = SetClock(tmp_path / "worker-clock")
    await asyncio.to_thread(node.stop)
    of_node = node.clock = SetClock(tmp_path / "node-clock")
    try:
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(nodes.wait_until_whole)
        environment.workers[0].stop()
        worker = environment.start_worker_by(of_worker)
        async with scenario.traffic(seed=87):
            await scenario.counted(5_000)
            for seconds in (-10, 0, -10):
                of_node.step(seconds)
                of_worker.step(seconds)
                await scenario.counted(5_000)
            # What it wrote with an earlier time than before must not be hidden from who comes after it.
            worker.kill()
            environment.start_worker()
            await scenario.recovered("clocks set back by 10 s, then the worker killed")
        assert "Failed to load clock" not in node.log.read_text()
        assert await scenario.verdict() == []
        assert scenario.refusals() == []
    finally:
        await asyncio.to_thread(node.stop)
        node.clock = None
