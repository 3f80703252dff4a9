"""Workers that start, stop and die at random moments; the seed fixes what happens, in which order."""

import asyncio
import random
import signal

import pytest

from support.scenarios.clients import made_up
from support.scenarios.environment import Stage
from support.scenarios.scenario import Trial

pytestmark = pytest.mark.faults

EVENTS = 6


@pytest.mark.parametrize("seed", range(11, 17))
async def test_churn(stage: Stage, trial: Trial, seed: int) -> None:
    rng = random.Random(seed)
    alive = [stage.start_worker() for _ in range(2)]
    terminated = []
    actions = made_up(seed, trial.now, late_hours=200, repeats=0.3)
    async with trial.traffic(seed, actions):
        await trial.counted(2_000)
        for _ in range(EVENTS):
            what = rng.choice(["start", "SIGTERM", "SIGKILL"]) if len(alive) > 1 else "start"
            if what == "start":
                alive.append(stage.start_worker())
            else:
                leaving = alive.pop(rng.randrange(len(alive)))
                leaving.running.send(signal.Signals[what])
                if what == "SIGTERM":
                    terminated.append(leaving)
            # The moment: within one flush, or within the session, or the rebalance, of what was before.
            await asyncio.sleep(rng.choice([0.05, 1.0, 3.0]))
        await trial.recovered(f"churn {seed}")
        await trial.counted(1_000)
    codes = [await asyncio.to_thread(worker.wait_for_end) for worker in terminated]
    assert set(codes) <= {0, -signal.SIGTERM}, "a worker that was told to stop did, drained or not yet begun"
    assert await trial.verdict() == []
