"""A store that dies, hangs, loses answers or is told things late changes no number."""

import asyncio
import signal

import pytest
from held_write import HeldWrite
from stage import Stage
from toxic_network import ToxicNetwork
from trial import Trial

from deploy.local.influxdb import InfluxDB


@pytest.fixture
def address(influxdb: InfluxDB) -> str:
    return f"127.0.0.1:{influxdb.port}"


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
async def test_influxdb_down_for_20_s(stage: Stage, trial: Trial, influxdb: InfluxDB) -> None:
    for _ in range(2):
        stage.start_worker()
    async with trial.traffic(seed=22):
        await trial.counted(2_000)
        influxdb.kill()
        await asyncio.sleep(20)
        influxdb.start()
        await asyncio.to_thread(influxdb.wait_until_ready)
        await trial.recovered("20 s without InfluxDB")
        await trial.counted(2_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_every_answer_of_influxdb_2_s_late(
    stage: Stage, trial: Trial, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            stage.start_worker(influx_url=f"http://{link.address}")
        async with trial.traffic(seed=23):
            await trial.counted(2_000)
            with link.delayed(2_000):
                await trial.counted(1_000)
                await asyncio.sleep(10)
            await trial.recovered("answers of InfluxDB 2 s late")
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


@pytest.mark.parametrize("measurement", [pytest.param("hourly", marks=pytest.mark.faults), "progress"])
async def test_a_write_that_arrives_after_its_retry_and_the_next_flush(
    stage: Stage, trial: Trial, influxdb: InfluxDB, measurement: str
) -> None:
    async with HeldWrite(influxdb.port) as proxy:
        worker = stage.start_worker(influx_url=proxy.url, influx_timeout="PT2S")
        async with trial.traffic(seed=25):
            await trial.counted(2_000)
            proxy.hold_next(measurement)
            await asyncio.wait_for(proxy.held.wait(), 30)

            async def two_flushes_later() -> bool:
                return proxy.progress_since >= 3

            await trial.until("two more flushes", two_flushes_later)
            await proxy.deliver()
            worker.running.send(signal.SIGKILL)
            stage.start_worker()
            await trial.recovered(f"a write of {measurement} held back, then the worker killed")
            await trial.counted(2_000)
        assert await trial.verdict() == []
