"""Workers that die, stall, come and go change no number."""

import asyncio
import signal

import pytest
from stage import PARTITIONS, Stage
from trial import Trial


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
