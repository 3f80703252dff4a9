"""A node of Cassandra whose disk is full: no number changes, and nobody is refused."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster.cassandra import CassandraCluster
from support.faults.small_disk import SmallDisk
from support.scenarios.scenario import Scenario

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MEGABYTES = 2_048


@pytest.fixture
def disk(nodes: CassandraCluster, tmp_path: Path) -> Iterator[SmallDisk]:
    """The third node's data lie on it while the test runs."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("only root may mount a small disk")
    node = nodes.nodes[2]
    node.stop()
    with SmallDisk.mounted(tmp_path / "disk", MEGABYTES) as disk:
        data = node.folder / "data"
        moved = shutil.copytree(data, disk.folder / "data")
        shutil.rmtree(data)
        data.symlink_to(moved)
        node.start()
        nodes.wait_until_whole()
        yield disk
        node.end()
        data.unlink()
        shutil.copytree(moved, data)


async def test_a_node_s_disk_is_full_until_somebody_makes_room(
    scenario: Scenario, nodes: CassandraCluster, disk: SmallDisk
) -> None:
    full = nodes.nodes[2]
    async with scenario.traffic(seed=88):
        await scenario.counted(5_000)
        await asyncio.to_thread(disk.fill)
        # It writes at the latest when its tables are flushed.
        await asyncio.to_thread(full.try_tool, "flush", nodes.settings.cassandra_keyspace)
        await scenario.counted(20_000)
        disk.free()
        await asyncio.to_thread(full.end)
        full.start()
        await asyncio.to_thread(nodes.wait_until_whole)
        await scenario.recovered("a store node's disk full, then freed, and the node started again")
        await scenario.counted(5_000)
    assert await scenario.verdict() == []
    assert scenario.refusals() == []
