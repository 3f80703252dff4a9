"""A store that dies, hangs, loses answers or is told things late changes no number."""

import asyncio
import signal
from functools import partial

import pytest

from deploy.local.services.influxdb import InfluxDB
from support.faults.held_write import HeldWrite
from support.faults.storm import Storm
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.clients import made_up
from support.scenarios.environment import Stage
from support.scenarios.scenario import Trial
from support.services.worker_process import WorkerProcess


@pytest.fixture
def address(influxdb: InfluxDB) -> str:
    return f"127.0.0.1:{influxdb.port}"


async def tells_why(worker: WorkerProcess, reason: str) -> bool:
    """Whether the worker is not ready for this reason."""
    return reason in await asyncio.to_thread(worker.why_not_ready)


@pytest.mark.faults
async def test_influxdb_killed_in_mid_flush(
    stage: Stage, trial: Trial, influxdb: InfluxDB, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            stage.start_worker(influx_url=f"http://{link.address}")
        async with trial.traffic(seed=21):
            await trial.counted(2_000)
            # With answers this late a flush is under way nearly always.
            with link.delayed(300):
                await trial.counted(2_000)
                influxdb.kill()
                influxdb.start()
                await asyncio.to_thread(influxdb.wait_until_ready)
            await trial.recovered("SIGKILL of InfluxDB")
            await trial.counted(2_000)
        assert await trial.verdict() == []


@pytest.mark.faults
async def test_influxdb_down_for_60_s(stage: Stage, trial: Trial, influxdb: InfluxDB) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=22):
        await trial.counted(2_000)
        influxdb.kill()
        await asyncio.sleep(60)
        influxdb.start()
        await asyncio.to_thread(influxdb.wait_until_ready)
        await trial.recovered("60 s without InfluxDB")
        await trial.counted(2_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_every_answer_of_influxdb_5_s_late(
    stage: Stage, trial: Trial, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            stage.start_worker(influx_url=f"http://{link.address}")
        async with trial.traffic(seed=23, actions=made_up(23, trial.now)):
            await trial.counted(3_000)
            with link.delayed(5_000):
                # Each flush takes two answers after one another: results, then progress.
                for _ in range(3):
                    await trial.counted(1)
            await trial.recovered("answers of InfluxDB 5 s late")
            await trial.counted(2_000)
        assert await trial.verdict() == []


@pytest.mark.faults
@pytest.mark.parametrize("broken", ["losing_answers", "resetting"])
async def test_writes_whose_outcome_stays_unknown(
    stage: Stage, trial: Trial, network: ToxicNetwork, address: str, broken: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            stage.start_worker(influx_url=f"http://{link.address}")
        async with trial.traffic(seed=24):
            await trial.counted(2_000)
            with link.losing_answers(0.3) if broken == "losing_answers" else link.resetting(0.5, 20):
                await asyncio.sleep(10)
                stage.workers[0].kill()
                stage.start_worker(influx_url=f"http://{link.address}")
            await trial.recovered(f"InfluxDB {broken}, a worker killed meanwhile")
            await trial.counted(2_000)
        assert await trial.verdict() == []


@pytest.mark.faults
async def test_a_storm_of_503_and_429_some_of_them_after_the_write_was_done(
    stage: Stage, trial: Trial, influxdb: InfluxDB
) -> None:
    async with Storm(influxdb.port, seed=26) as storm:
        for _ in range(2):
            stage.start_worker(influx_url=storm.url)
        async with trial.traffic(seed=26):
            await trial.counted(2_000)
            storm.share = 1.0
            await trial.until("nothing gets through", partial(tells_why, stage.workers[0], "try again"))
            storm.share = 0.5
            await trial.counted(2_000)
            stage.workers[0].kill()
            stage.start_worker(influx_url=storm.url)
            await trial.counted(2_000)
            storm.share = 0.0
            await trial.recovered("all, then every other request answered 503 or 429, a worker killed meanwhile")
            await trial.counted(2_000)
        assert len(storm.refused) == 4, storm.refused
        assert await trial.verdict() == []


@pytest.mark.faults
async def test_a_worker_cut_off_from_influxdb_keeps_its_partitions_and_catches_up(
    stage: Stage, trial: Trial, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        lonely = stage.start_worker(influx_url=f"http://{link.address}", influx_timeout="PT3S")
        stage.start_worker()
        async with trial.traffic(seed=27):
            await trial.counted(2_000)
            with link.cut():
                await trial.until("the worker is not ready", partial(tells_why, lonely, "no answer"))
                await trial.counted(3_000)
            await trial.recovered("one of two workers cut off from InfluxDB")
            await trial.counted(2_000)
        assert await trial.verdict() == []


@pytest.mark.parametrize(
    "measurement",
    [*(pytest.param(name, marks=pytest.mark.faults) for name in ("actions", "hourly", "hourly_users")), "progress"],
)
async def test_a_write_that_arrives_after_its_retry_and_the_next_flush(
    stage: Stage, trial: Trial, influxdb: InfluxDB, measurement: str
) -> None:
    async with HeldWrite(influxdb.port) as proxy:
        worker = stage.start_worker(influx_url=proxy.url, influx_timeout="PT2S")
        async with trial.traffic(seed=25):
            await trial.counted(2_000)
            proxy.hold_next(measurement)
            await asyncio.wait_for(proxy.held.wait(), 60)

            async def two_flushes_later() -> bool:
                return proxy.progress_since >= 3

            await trial.until("two more flushes", two_flushes_later)
            await proxy.deliver()
            worker.running.send(signal.SIGKILL)
            stage.start_worker()
            await trial.recovered(f"a write of {measurement} held back, then the worker killed")
            await trial.counted(2_000)
        assert await trial.verdict() == []
