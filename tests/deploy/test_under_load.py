"""While clients send and read through the gateway, services are scaled and restarted: nobody notices."""

import asyncio

import httpx
import pytest

from support.compose.exactness import require_exact
from support.compose.load import actions_of, running
from support.compose.stack import Stack

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1_200)]


async def test_services_are_scaled_from_1_to_4_and_back(stack: Stack, http: httpx.AsyncClient, hour: int) -> None:
    scaled = ("ingest", "worker", "aggregator")
    async with running(http, actions_of(hour, "scaled", ids=False)) as load:
        for number in (1, 4, 1):
            await asyncio.to_thread(stack.up, *(f"{service}={number}" for service in scaled))
            assert {service: len(stack.containers(service)) for service in scaled} == dict.fromkeys(scaled, number)

    assert load.failed == []
    await require_exact(http, load.acknowledged)


@pytest.mark.parametrize("service", ["ingest", "worker", "aggregator", "rollup"])
async def test_a_service_s_containers_are_restarted_one_by_one(
    stack: Stack, http: httpx.AsyncClient, hour: int, service: str
) -> None:
    stack.up()
    before = {one.id: one.pid for one in stack.containers(service)}
    async with running(http, actions_of(hour, service, ids=False)) as load:
        await asyncio.to_thread(stack.run, f"sh restart.sh {service}")

    after = {one.id: one.pid for one in stack.containers(service)}
    assert before.keys() == after.keys()
    assert not before.items() & after.items()
    assert load.failed == []
    await require_exact(http, load.acknowledged)
