"""A store whose disk is full shows what it will forget: nobody may build on it."""

import asyncio
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from support.faults.small_disk import SmallDisk
from support.product.worker_process import WorkerProcess
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults

MEGABYTES = 64


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("only root may mount a small disk")
    with SmallDisk.mounted(tmp_path / "disk", MEGABYTES) as disk:
        yield disk


@pytest.fixture
def influxdb(artifacts: Artifacts, disk: SmallDisk, tmp_path: Path) -> Iterator[InfluxDB]:
    """One of this test's own, on the small disk."""
    with InfluxDB(artifacts, disk.folder, free_port(), tmp_path / "influxdb.log") as influxdb:
        yield influxdb


async def test_disk_full_then_worker_replaced_then_store_killed_then_disk_freed(
    environment: Environment, scenario: Scenario, disk: SmallDisk, influxdb: InfluxDB
) -> None:
    async def is_refused(worker: WorkerProcess) -> bool:
        return "no space left" in await asyncio.to_thread(worker.why_not_ready)

    victim = environment.start_worker()
    async with scenario.traffic(seed=28):
        await scenario.counted(3_000)
        await asyncio.to_thread(disk.fill)
        await scenario.until("the store has no space left", partial(is_refused, victim))
        victim.kill()
        heir = environment.start_worker()
        # It waits for its first write: the progress that it saw may be one that the store will forget.
        await scenario.until("the heir is refused", partial(is_refused, heir))
        influxdb.kill()
        disk.free()
        influxdb.start()
        await asyncio.to_thread(influxdb.wait_until_ready)
        await scenario.recovered("disk full, worker replaced, store killed, disk freed")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []
