"""Workers that die, stall, come and go change no number."""

import asyncio
import signal
from functools import partial

import pytest

from deploy.local.services.influxdb import InfluxDB
from support.faults.dying_worker import Moment
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.clients import made_up
from support.scenarios.environment import PARTITIONS, Stage
from support.scenarios.scenario import Trial
from support.services.worker_process import WorkerProcess


async def test_a_worker_killed_in_mid_batch_loses_nothing(stage: Stage, trial: Trial) -> None:
    victim, _ = stage.start_worker(), stage.start_worker()
    async with trial.traffic(seed=1):
        await trial.counted(5_000)
        victim.kill()
        await trial.recovered("SIGKILL of one of two workers")
        await trial.counted(2_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_all_workers_killed_at_once_lose_nothing(stage: Stage, trial: Trial) -> None:
    victims = [stage.start_worker() for _ in range(3)]
    async with trial.traffic(seed=2):
        await trial.counted(5_000)
        for victim in victims:
            victim.running.send(signal.SIGKILL)
        stage.start_worker()
        stage.start_worker()
        await trial.recovered("SIGKILL of all three workers, two new ones")
        await trial.counted(2_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_a_worker_stalled_beyond_its_session_moves_no_number_back(stage: Stage, trial: Trial) -> None:
    stalled, other = stage.start_worker(), stage.start_worker()
    async with trial.traffic(seed=3):
        await trial.counted(5_000)
        stalled.running.send(signal.SIGSTOP)
        await trial.recovered("SIGSTOP of one of two workers")
        await trial.counted(2_000)
        stalled.running.send(signal.SIGCONT)
        await trial.counted(2_000)

        async def shared() -> bool:
            owned = [await asyncio.to_thread(worker.owned) for worker in (stalled, other)]
            return all(owned) and sorted(owned[0] + owned[1]) == list(range(PARTITIONS))

        trial.note("SIGCONT until both own a share", await trial.until("both own a share", shared))
        await trial.recovered("SIGCONT")
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_one_worker_then_four_then_one(stage: Stage, trial: Trial) -> None:
    first = stage.start_worker()
    async with trial.traffic(seed=4):
        await trial.counted(3_000)
        others = [stage.start_worker() for _ in range(3)]
        await asyncio.to_thread(stage.wait_until_ready)
        await trial.recovered("1 to 4 workers")
        await trial.counted(3_000)
        for leaving in [first, *others[:2]]:
            leaving.terminate()
        assert [await asyncio.to_thread(worker.wait_for_end) for worker in [first, *others[:2]]] == [0, 0, 0]
        await trial.recovered("4 to 1 workers")
        await trial.counted(3_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_a_rolling_restart(stage: Stage, trial: Trial) -> None:
    workers = [stage.start_worker() for _ in range(3)]
    async with trial.traffic(seed=5):
        await trial.counted(3_000)
        for worker in workers:
            worker.terminate()
            assert await asyncio.to_thread(worker.wait_for_end) == 0
            stage.start_worker()
            await asyncio.to_thread(stage.wait_until_ready)
            await trial.recovered("one of three workers replaced")
    assert await trial.verdict() == []


async def test_a_worker_killed_between_any_two_writes_of_a_flush_changes_no_number(stage: Stage, trial: Trial) -> None:
    async with trial.traffic(seed=6, actions=made_up(6, trial.now, late_hours=200, repeats=0.3)):
        for moment in Moment:
            # In a group of its own: nobody waits for the session of the one that died. The store says where to go on.
            worker = stage.start_dying_worker(moment, consumer_group=f"{stage.topic}-{moment.name}")
            assert await asyncio.to_thread(worker.wait_for_end) == -signal.SIGKILL
            assert f"dies having written {moment}" in worker.logged()
        stage.start_worker()
        await trial.recovered("nine workers killed, each at another write")
        await trial.counted(2_000)
    assert await trial.verdict() == []


@pytest.mark.faults
async def test_a_worker_that_loses_partitions_in_mid_flush_and_gets_them_back(
    stage: Stage, trial: Trial, network: ToxicNetwork, influxdb: InfluxDB
) -> None:
    async def owns(worker: WorkerProcess, partitions: int) -> bool:
        return len(await asyncio.to_thread(worker.owned)) == partitions

    with network.proxy(f"127.0.0.1:{influxdb.port}") as link:
        slow = {"influx_url": f"http://{link.address}", "worker_release_timeout": "PT0.2S"}
        steady = stage.start_worker(**slow)
        async with trial.traffic(seed=7):
            await trial.counted(2_000)
            # A flush takes longer than a rebalance waits for it: it is abandoned half written.
            with link.delayed(400):
                for _ in range(3):
                    guest = stage.start_worker(**slow)
                    await trial.until("half is lost", partial(owns, steady, PARTITIONS // 2))
                    await trial.counted(500)
                    guest.terminate()
                    assert await asyncio.to_thread(guest.wait_for_end) == 0
                    await trial.until("all is back", partial(owns, steady, PARTITIONS))
                    await trial.counted(500)
            await trial.recovered("partitions lost and got back three times")
        assert "abandoned" in steady.logged() or "released partitions before" in steady.logged()
        assert await trial.verdict() == []
