"""While clients send, containers die, and all of them end: what was acknowledged counts once."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from support.compose.exactness import require_exact
from support.compose.load import actions_of, running
from support.compose.stack import OURS, SECONDS, Stack
from support.pipeline.eventually import eventually, eventually_stored

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1_200)]


@pytest.mark.parametrize("service", [*OURS, "gateway", "kafka", "influxdb"])
async def test_a_service_s_containers_are_killed_and_come_back(
    stack: Stack, http: httpx.AsyncClient, hour: int, service: str
) -> None:
    before = {one.id: one.pid for one in stack.containers(service)}

    async def are_back() -> bool:
        found = await asyncio.to_thread(stack.containers, service)
        return all(one.is_ready and before[one.id] != one.pid for one in found)

    async with running(http, actions_of(hour, service, ids=True), insists=True) as load:
        await eventually(lambda: len(load.acknowledged) > 100)
        stack.kill(service)
        await eventually_stored(are_back, SECONDS, lambda: load.failed[-1:])

    await require_exact(http, load.acknowledged)


async def test_down_drains_and_what_was_acknowledged_is_there_after_the_next_up(
    stack: Stack, http: httpx.AsyncClient, hour: int
) -> None:
    async with running(http, actions_of(hour, "down", ids=True), insists=True) as load:
        await eventually(lambda: len(load.acknowledged) > 500)
        names = {one.name for one in stack.containers(*OURS, "gateway")}
        began = datetime.now(UTC)
        await asyncio.to_thread(stack.compose, "down")
        codes = await asyncio.to_thread(stack.exit_codes_since, began)
        await asyncio.to_thread(stack.up)

    assert {name: code for name, code in codes.items() if name in names} == dict.fromkeys(names, 0)
    await require_exact(http, load.acknowledged)
