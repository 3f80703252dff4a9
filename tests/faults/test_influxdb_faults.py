"""A store that dies, hangs, loses answers or is told things late changes no number."""

import asyncio
import signal
from functools import partial

import pytest

from deploy.local.services.influxdb import InfluxDB
from support.faults.delayed_write import DelayedWrite
from support.faults.error_proxy import ErrorProxy
from support.faults.toxic_network import ToxicNetwork
from support.product.worker_process import WorkerProcess
from support.scenarios.clients import synthetic_actions
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario


@pytest.fixture
def address(influxdb: InfluxDB) -> str:
    return f"127.0.0.1:{influxdb.port}"


async def reports(worker: WorkerProcess, reason: str) -> bool:
    """Whether the worker is not ready for this reason."""
    return reason in await asyncio.to_thread(worker.why_not_ready)


@pytest.mark.faults
async def test_influxdb_killed_in_mid_flush(
    environment: Environment, scenario: Scenario, influxdb: InfluxDB, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            environment.start_worker(influx_url=f"http://{link.address}")
        async with scenario.traffic(seed=21):
            await scenario.counted(2_000)
            # With answers this late a flush is under way nearly always.
            with link.delayed(300):
                await scenario.counted(2_000)
                influxdb.kill()
                influxdb.start()
                await asyncio.to_thread(influxdb.wait_until_ready)
            await scenario.recovered("SIGKILL of InfluxDB")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []


@pytest.mark.faults
async def test_influxdb_down_for_60_s(environment: Environment, scenario: Scenario, influxdb: InfluxDB) -> None:
    for _ in range(2):
        environment.start_worker()
    async with scenario.traffic(seed=22):
        await scenario.counted(2_000)
        influxdb.kill()
        await asyncio.sleep(60)
        influxdb.start()
        await asyncio.to_thread(influxdb.wait_until_ready)
        await scenario.recovered("60 s without InfluxDB")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_every_answer_of_influxdb_5_s_late(
    environment: Environment, scenario: Scenario, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            environment.start_worker(influx_url=f"http://{link.address}")
        async with scenario.traffic(seed=23, actions=synthetic_actions(23, scenario.now)):
            await scenario.counted(3_000)
            with link.delayed(5_000):
                # Each flush takes two answers after one another: results, then progress.
                for _ in range(3):
                    await scenario.counted(1)
            await scenario.recovered("answers of InfluxDB 5 s late")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []


@pytest.mark.faults
@pytest.mark.parametrize("broken", ["losing_answers", "resetting"])
async def test_writes_whose_outcome_stays_unknown(
    environment: Environment, scenario: Scenario, network: ToxicNetwork, address: str, broken: str
) -> None:
    with network.proxy(address) as link:
        for _ in range(2):
            environment.start_worker(influx_url=f"http://{link.address}")
        async with scenario.traffic(seed=24):
            await scenario.counted(2_000)
            with link.losing_answers(0.3) if broken == "losing_answers" else link.resetting(0.5, 20):
                await asyncio.sleep(10)
                environment.workers[0].kill()
                environment.start_worker(influx_url=f"http://{link.address}")
            await scenario.recovered(f"InfluxDB {broken}, a worker killed meanwhile")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []


@pytest.mark.faults
async def test_many_503_and_429_some_of_them_after_the_write_was_done(
    environment: Environment, scenario: Scenario, influxdb: InfluxDB
) -> None:
    async with ErrorProxy(influxdb.port, seed=26) as proxy:
        for _ in range(2):
            environment.start_worker(influx_url=proxy.url)
        async with scenario.traffic(seed=26):
            await scenario.counted(2_000)
            proxy.share = 1.0
            await scenario.until("nothing gets through", partial(reports, environment.workers[0], "try again"))
            proxy.share = 0.5
            await scenario.counted(2_000)
            environment.workers[0].kill()
            environment.start_worker(influx_url=proxy.url)
            await scenario.counted(2_000)
            proxy.share = 0.0
            await scenario.recovered("all, then every other request answered 503 or 429, a worker killed meanwhile")
            await scenario.counted(2_000)
        assert len(proxy.refused) == 4, proxy.refused
        assert await scenario.verdict() == []


@pytest.mark.faults
async def test_a_worker_cut_off_from_influxdb_keeps_its_partitions_and_catches_up(
    environment: Environment, scenario: Scenario, network: ToxicNetwork, address: str
) -> None:
    with network.proxy(address) as link:
        lonely = environment.start_worker(influx_url=f"http://{link.address}", influx_timeout="PT3S")
        environment.start_worker()
        async with scenario.traffic(seed=27):
            await scenario.counted(2_000)
            with link.cut():
                await scenario.until("the worker is not ready", partial(reports, lonely, "no answer"))
                await scenario.counted(3_000)
            await scenario.recovered("one of two workers cut off from InfluxDB")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []


@pytest.mark.parametrize(
    "measurement",
    [*(pytest.param(name, marks=pytest.mark.faults) for name in ("actions", "hourly", "hourly_users")), "progress"],
)
async def test_a_write_that_arrives_after_its_retry_and_the_next_flush(
    environment: Environment, scenario: Scenario, influxdb: InfluxDB, measurement: str
) -> None:
    async with DelayedWrite(influxdb.port) as proxy:
        worker = environment.start_worker(influx_url=proxy.url, influx_timeout="PT2S")
        async with scenario.traffic(seed=25):
            await scenario.counted(2_000)
            proxy.delay_next(measurement)
            await asyncio.wait_for(proxy.intercepted.wait(), 60)

            async def two_flushes_later() -> bool:
                return proxy.progress_since >= 3

            await scenario.until("two more flushes", two_flushes_later)
            await proxy.deliver()
            worker.running.send(signal.SIGKILL)
            environment.start_worker()
            await scenario.recovered(f"a write of {measurement} delayed, then the worker killed")
            await scenario.counted(2_000)
        assert await scenario.verdict() == []
