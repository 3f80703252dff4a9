"""API processes that die or stop in mid-request lose and double nothing, for clients that send the same ids again."""

import asyncio
import signal

import pytest

from support.scenarios.environment import Environment
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_one_of_two_apis_ends_in_mid_request(
    environment: Environment, scenario: Scenario, number: signal.Signals
) -> None:
    environment.apis.append(environment.start("ingest_api"))
    environment.start_worker()
    async with scenario.traffic(seed=41, concurrency=6, pause=0.02):
        await scenario.counted(3_000)
        for api in environment.apis:
            assert api.process is not None
            api.process.send(number)
            assert await asyncio.to_thread(api.process.wait, 40)
            assert api.process.reap() == (-number if number is signal.SIGKILL else 0)
            api.start()
            await asyncio.to_thread(api.wait_until_ready)
            await scenario.recovered(f"{number.name} of an API process")
    assert await scenario.verdict() == []
