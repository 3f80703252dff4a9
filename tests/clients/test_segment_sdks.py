"""Real SDKs of Segment and RudderStack send, answers get lost, they send again: each call counts once."""

import asyncio
import json
import os
import sys
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from support.builds.clients import python_packages
from support.clients.lost_answers import LostAnswers
from support.clients.node import run_node
from support.clients.product import Product, StartProduct
from support.clients.segment_calls import SEGMENT_EVENTS, actions_in

pytestmark = pytest.mark.clients

SCRIPTS: Final = Path(__file__).parent / "sdks"
SDKS: Final = ("segment_python", "rudderstack_python", "segment_node", "rudderstack_node")
CALLS: Final = [
    {"type": kind, "name": name, **who, **when}
    for who in ({"userId": "ada"}, {"userId": "42"}, {"anonymousId": "somebody"})
    for when in ({}, {"timestamp": "2023-11-14T22:59:59.999+00:00"}, {"timestamp": "2023-11-14T23:30:00+00:30"})
    for kind, name in (("track", "Product Clicked"), ("page", "Home"), ("track", "Liked"), ("identify", ""))
]
"""Some happen when they are sent, some in the two hours around 23:00; a half of them are events."""
THEIR_ACTIONS: Final = Counter(
    {(user, event): 3 for user in ("ada", "42", "somebody") for event in ("click", "impression")}
)


async def send(sdk: str, address: str) -> None:
    """Returns once the SDK says that all is done."""
    package, _, language = sdk.partition("_")
    if language == "node":
        await run_node(SCRIPTS / f"{sdk}.js", address, json.dumps(CALLS))
        return
    # In a process of its own: one of the packages wants an older dateutil than the product has.
    command = (sys.executable, SCRIPTS / "server.py", package, address, json.dumps(CALLS))
    environment = {**os.environ, "PYTHONPATH": str(python_packages())}
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    assert await process.wait() == 0


def distinct(actions: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How many actions by user and event, each once however often it was sent."""
    return Counter({action["id"]: (action["user"], action["event"]) for action in actions}.values())


@pytest.fixture
def product(start_product: StartProduct) -> Product:
    return start_product(segment_events=SEGMENT_EVENTS)


async def test_what_an_sdk_sends_again_on_a_server_counts_once(product: Product) -> None:
    everything = []
    for sdk in SDKS:
        async with LostAnswers(product.port) as proxy:
            await send(sdk, proxy.url)
        sent = actions_in(proxy.lost + proxy.delivered)
        assert distinct(sent) == THEIR_ACTIONS, sdk
        assert len(sent) > THEIR_ACTIONS.total(), sdk
        everything += sent

    assert await product.metric("actions_accepted") == len(everything)
    assert await product.metric("actions_rejected") == 0
    assert await product.metric("calls_unmapped", type="identify") >= len(SDKS) * 9
    assert await product.differences(everything) == {}


async def test_segment_s_sdk_for_node_waits_while_it_is_told_429_and_gives_up_on_503(product: Product) -> None:
    one_batch, one_retry = json.dumps(CALLS[:12]), "1"
    async with LostAnswers(product.port, losses=3, status=HTTPStatus.TOO_MANY_REQUESTS) as proxy:
        await run_node(SCRIPTS / "segment_node.js", proxy.url, one_batch, one_retry)
        sent = actions_in(proxy.delivered)
    assert distinct(sent) == Counter({("ada", "click"): 3, ("ada", "impression"): 3})
    assert await product.differences(sent) == {}

    async with LostAnswers(product.port, losses=3) as proxy:
        await run_node(SCRIPTS / "segment_node.js", proxy.url, one_batch, one_retry)
    assert (len(proxy.lost), proxy.delivered) == (2, [])
