"""Workers that start, stop and die at random moments; the seed fixes what happens, in which order."""

import asyncio
import random
import signal

import pytest

from support.scenarios.clients import synthetic_actions
from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults

EVENTS = 6


@pytest.mark.parametrize("seed", range(11, 17))
async def test_churn(environment: Environment, scenario: Scenario, seed: int) -> None:
    rng = random.Random(seed)
    alive = [environment.start_worker() for _ in range(2)]
    terminated = []
    actions = synthetic_actions(seed, scenario.now, late_hours=200, repeats=0.3)
    async with scenario.traffic(seed, actions):
        await scenario.counted(2_000)
        for _ in range(EVENTS):
            what = rng.choice(["start", "SIGTERM", "SIGKILL"]) if len(alive) > 1 else "start"
            if what == "start":
                alive.append(environment.start_worker())
            else:
                leaving = alive.pop(rng.randrange(len(alive)))
                leaving.running.send(signal.Signals[what])
                if what == "SIGTERM":
                    terminated.append(leaving)
            # The moment: within one flush, or within the session, or the rebalance, of what was before.
            await asyncio.sleep(rng.choice([0.05, 1.0, 3.0]))
        await scenario.recovered(f"churn {seed}")
        await scenario.counted(1_000)
    codes = [await asyncio.to_thread(worker.wait_for_end) for worker in terminated]
    assert set(codes) <= {0, -signal.SIGTERM}, "a worker that was told to stop did, drained or not yet begun"
    assert await scenario.verdict() == []
