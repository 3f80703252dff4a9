"""API processes that die or stop in mid-request lose and double nothing, for clients that send the same ids again."""

import asyncio
import signal

import pytest

from support.scenarios.environment import Stage
from support.scenarios.scenario import Trial

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_one_of_two_apis_ends_in_mid_request(stage: Stage, trial: Trial, number: signal.Signals) -> None:
    stage.apis.append(stage.start("ingest_api"))
    stage.start_worker()
    async with trial.traffic(seed=41, side_by_side=6, pause=0.02):
        await trial.counted(3_000)
        for api in stage.apis:
            assert api.process is not None
            api.process.send(number)
            assert await asyncio.to_thread(api.process.wait, 40)
            assert api.process.reap() == (-number if number is signal.SIGKILL else 0)
            api.start()
            await asyncio.to_thread(api.wait_until_ready)
            await trial.recovered(f"{number.name} of an API process")
    assert await trial.verdict() == []
