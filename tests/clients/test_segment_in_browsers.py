"""The SDKs of Segment and RudderStack in Chromium, on a page of another origin: each call counts once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from support.builds.clients import node_packages
from support.clients.browser import Pages, chromium, served_pages
from support.clients.lost_answers import LostAnswers
from support.clients.product import Product, StartProduct
from support.clients.segment_calls import SEGMENT_EVENTS, actions_in

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.clients

SEGMENT: Final = "@segment/analytics-next/dist/umd/index.js"
RUDDERSTACK: Final = "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"
SETTINGS: Final = {
    "/v1/projects/key/settings": {"integrations": {"Segment.io": {"apiKey": "key"}}, "plan": {}},
    "/sourceConfig/": {
        "source": {"id": "s", "name": "s", "writeKey": "key", "enabled": True, "config": {}, "destinations": []}
    },
}
"""What the SDKs ask their makers' servers for when they start: here it is the page's own."""
LOAD_SEGMENT: Final = """(address, options) => {
    const segment = { apiHost: address.replace("http://", "") + "/v1", protocol: "http", ...options }
    const load = [{ writeKey: "key", cdnURL: location.origin }, { integrations: { "Segment.io": segment } }]
    window.sdk = AnalyticsNext.AnalyticsBrowser.load(...load)
}"""
LOAD_RUDDERSTACK: Final = """(address, options) => {
    window.sdk = new rudderanalytics.RudderAnalytics()
    sdk.load("key", address, { configUrl: location.origin, ...options })
}"""
CALLS: Final = """when => {
    sdk.page("Home")
    sdk.track("Product Clicked")
    sdk.track("Liked")
    sdk.identify("ada")
    sdk.track("Product Clicked", {}, { [when]: new Date(1700000000000).toISOString() })
}"""
EVENTS: Final = ["click", "click", "impression"]


class Way(NamedTuple):
    """How an SDK is told to send, and what it then does."""

    script: str
    load: str
    options: dict[str, Any]
    time: str
    """Its name for a time that is given."""
    path: str
    losses: int = 3
    """Some of what is lost are no events."""


WAYS: Final = (
    Way(SEGMENT, LOAD_SEGMENT, {}, "timestamp", "/v1/t "),
    Way(
        SEGMENT,
        LOAD_SEGMENT,
        {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 100}}},
        "timestamp",
        "/v1/b ",
    ),
    Way(RUDDERSTACK, LOAD_RUDDERSTACK, {}, "originalTimestamp", "/v1/track "),
    Way(
        RUDDERSTACK,
        LOAD_RUDDERSTACK,
        {"useBeacon": True, "beaconQueueOptions": {"flushQueueInterval": 100}},
        "originalTimestamp",
        "/beacon/v1/batch?writeKey=key ",
        losses=0,  # a beacon is told nothing
    ),
)


@pytest.fixture
def pages() -> Iterator[Pages]:
    with served_pages() as pages:
        pages.content.update({path: json.dumps(settings) for path, settings in SETTINGS.items()})
        for script in (SEGMENT, RUDDERSTACK):
            pages.content[f"/{script}"] = (node_packages() / "node_modules" / script).read_text()
            pages.content[f"/page/{script}"] = f'<!doctype html><meta charset=utf-8><script src="/{script}"></script>'
        yield pages


@pytest.fixture
async def browser() -> AsyncIterator["Browser"]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def product(start_product: StartProduct, pages: Pages) -> Product:
    return start_product(segment_events=SEGMENT_EVENTS, ingest_origins=pages.origin)


async def sent_by(way: Way, proxy: LostAnswers, pages: Pages, browser: "Browser") -> list[dict[str, Any]]:
    """The actions that were sent, once the answers to all of them came through."""
    page = await browser.new_page()
    await page.goto(f"{pages.origin}/page/{way.script}")
    await page.evaluate(f"({way.load})({json.dumps(proxy.url)}, {json.dumps(way.options)})")
    await page.evaluate(CALLS, way.time)
    while len({action["id"] for action in actions_in(proxy.delivered)}) < len(EVENTS):  # noqa: ASYNC110 - the browser tells nobody
        await asyncio.sleep(0.05)
    await page.close()
    assert any(f"POST {way.path}HTTP/1.1".encode() in request for request in proxy.delivered)
    return actions_in(proxy.lost + proxy.delivered)


async def test_what_an_sdk_sends_again_in_a_browser_counts_once(
    product: Product, pages: Pages, browser: "Browser"
) -> None:
    everything = []
    for way in WAYS:
        async with LostAnswers(product.port, losses=way.losses) as proxy:
            sent = await sent_by(way, proxy, pages, browser)
        assert sorted({action["id"]: action["event"] for action in sent}.values()) == EVENTS, way
        assert way.losses == 0 or len(sent) > len(EVENTS), way
        assert any(action["timestamp"] == 1_700_000_000_000 and action["user"] == "ada" for action in sent), way
        everything += sent

    assert await product.metric("actions_accepted") == len(everything)
    assert await product.metric("actions_rejected") == 0
    assert await product.differences(everything) == {}
