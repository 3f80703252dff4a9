"""Workers that die, stall, come and go change no number."""

import asyncio
import signal
from functools import partial

import pytest

from deploy.local.services.influxdb import InfluxDB
from support.faults.dying_worker import Moment
from support.faults.toxic_network import ToxicNetwork
from support.product.worker_process import WorkerProcess
from support.scenarios.clients import synthetic_actions
from support.scenarios.environment import PARTITIONS, Environment
from support.scenarios.scenario import Scenario


async def test_a_worker_killed_in_mid_batch_loses_nothing(environment: Environment, scenario: Scenario) -> None:
    victim, _ = environment.start_worker(), environment.start_worker()
    async with scenario.traffic(seed=1):
        await scenario.counted(5_000)
        victim.kill()
        await scenario.recovered("SIGKILL of one of two workers")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_all_workers_killed_at_once_lose_nothing(environment: Environment, scenario: Scenario) -> None:
    victims = [environment.start_worker() for _ in range(3)]
    async with scenario.traffic(seed=2):
        await scenario.counted(5_000)
        for victim in victims:
            victim.running.send(signal.SIGKILL)
        environment.start_worker()
        environment.start_worker()
        await scenario.recovered("SIGKILL of all three workers, two new ones")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_a_worker_stalled_beyond_its_session_moves_no_number_back(
    environment: Environment, scenario: Scenario
) -> None:
    stalled, other = environment.start_worker(), environment.start_worker()
    async with scenario.traffic(seed=3):
        await scenario.counted(5_000)
        stalled.running.send(signal.SIGSTOP)
        await scenario.recovered("SIGSTOP of one of two workers")
        await scenario.counted(2_000)
        stalled.running.send(signal.SIGCONT)
        await scenario.counted(2_000)

        async def shared() -> bool:
            owned = [await asyncio.to_thread(worker.owned) for worker in (stalled, other)]
            return all(owned) and sorted(owned[0] + owned[1]) == list(range(PARTITIONS))

        scenario.note("SIGCONT until both own a share", await scenario.until("both own a share", shared))
        await scenario.recovered("SIGCONT")
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_one_worker_then_four_then_one(environment: Environment, scenario: Scenario) -> None:
    first = environment.start_worker()
    async with scenario.traffic(seed=4):
        await scenario.counted(3_000)
        others = [environment.start_worker() for _ in range(3)]
        await asyncio.to_thread(environment.wait_until_ready)
        await scenario.recovered("1 to 4 workers")
        await scenario.counted(3_000)
        for leaving in [first, *others[:2]]:
            leaving.terminate()
        assert [await asyncio.to_thread(worker.wait_for_end) for worker in [first, *others[:2]]] == [0, 0, 0]
        await scenario.recovered("4 to 1 workers")
        await scenario.counted(3_000)
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_a_rolling_restart(environment: Environment, scenario: Scenario) -> None:
    workers = [environment.start_worker() for _ in range(3)]
    async with scenario.traffic(seed=5):
        await scenario.counted(3_000)
        for worker in workers:
            worker.terminate()
            assert await asyncio.to_thread(worker.wait_for_end) == 0
            environment.start_worker()
            await asyncio.to_thread(environment.wait_until_ready)
            await scenario.recovered("one of three workers replaced")
    assert await scenario.verdict() == []


async def test_a_worker_killed_between_any_two_writes_of_a_flush_changes_no_number(
    environment: Environment, scenario: Scenario
) -> None:
    async with scenario.traffic(seed=6, actions=synthetic_actions(6, scenario.now, late_hours=200, repeats=0.3)):
        for moment in Moment:
            # In a group of its own: nobody waits for the session of the one that died. The store says where to go on.
            worker = environment.start_dying_worker(moment, consumer_group=f"{environment.topic}-{moment.name}")
            assert await asyncio.to_thread(worker.wait_for_end) == -signal.SIGKILL
            assert f"dies having written {moment}" in worker.logged()
        environment.start_worker()
        await scenario.recovered("nine workers killed, each at another write")
        await scenario.counted(2_000)
    assert await scenario.verdict() == []


@pytest.mark.faults
async def test_a_worker_that_loses_partitions_in_mid_flush_and_gets_them_back(
    environment: Environment, scenario: Scenario, network: ToxicNetwork, influxdb: InfluxDB
) -> None:
    async def owns(worker: WorkerProcess, partitions: int) -> bool:
        return len(await asyncio.to_thread(worker.owned)) == partitions

    with network.proxy(f"127.0.0.1:{influxdb.port}") as link:
        slow = {"influx_url": f"http://{link.address}", "worker_release_timeout": "PT0.2S"}
        steady = environment.start_worker(**slow)
        async with scenario.traffic(seed=7):
            await scenario.counted(2_000)
            # A flush takes longer than a rebalance waits for it: it is abandoned half written.
            with link.delayed(400):
                for _ in range(3):
                    guest = environment.start_worker(**slow)
                    await scenario.until("half is lost", partial(owns, steady, PARTITIONS // 2))
                    await scenario.counted(500)
                    guest.terminate()
                    assert await asyncio.to_thread(guest.wait_for_end) == 0
                    await scenario.until("all is back", partial(owns, steady, PARTITIONS))
                    await scenario.counted(500)
            await scenario.recovered("partitions lost and got back three times")
        assert "abandoned" in steady.logged() or "released partitions before" in steady.logged()
        assert await scenario.verdict() == []
