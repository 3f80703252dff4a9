"""Chromium sends from pages of another origin in each way that browsers have, and each action counts once."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from support.clients.browser import Pages, chromium, served_pages
from support.clients.lost_answers import LostAnswers
from support.clients.product import Product, StartProduct

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.clients

DOCUMENT = Path(__file__).parents[2] / "docs/browsers.md"
THEN = 1_700_000_000_000
JSON_BLOB = "(url, body) => navigator.sendBeacon(url, new Blob([body], { type: 'application/json' }))"
LOADED = """url => new Promise(done => {
    const image = new Image();
    image.onload = () => done(`${image.width}x${image.height}`);
    image.onerror = () => done("error");
    image.src = url;
})"""
Action = dict[str, Any]


def call(function: str, *arguments: object) -> str:
    """JavaScript that calls a function."""
    return f"({function})({', '.join(map(json.dumps, arguments))})"


def made(way: str, number: int = 3) -> list[Action]:
    return [{"timestamp": THEN + index, "user": f"{way} {index % 2}", "event": "click"} for index in range(number)]


def lines(sent: list[Action]) -> str:
    return "\n".join(map(json.dumps, sent))


def fetched(url: str, body: str, content_type: str | None = None, **options: object) -> str:
    """JavaScript that posts a body, and tells what the page may read of the answer."""
    headers = {"headers": {"Content-Type": content_type}} if content_type else {}
    told = "answer => answer.text().then(text => `${answer.status} ${text}`)"
    request = {"method": "POST", "body": body, **headers, **options}
    return f"fetch({json.dumps(url)}, {json.dumps(request)}).then({told}, error => error.name)"


@pytest.fixture
def pages() -> Iterator[Pages]:
    with served_pages() as pages:
        yield pages


@pytest.fixture
async def page() -> AsyncIterator["Page"]:
    async with chromium() as browser:
        yield await browser.new_page()


@pytest.fixture
def product(start_product: StartProduct, pages: Pages) -> Product:
    """It lists one of the two origins of the pages."""
    return start_product(ingest_origins=pages.origin)


async def test_each_way_of_sending_counts_and_its_answer_is_readable(
    product: Product, pages: Pages, page: "Page"
) -> None:
    url = f"{product.url}/v1/actions"
    sent = {way: made(way) for way in ("string", "blob", "json", "ndjson", "text", "keepalive")}
    await page.goto(pages.origin)

    assert await page.evaluate(call("(url, body) => navigator.sendBeacon(url, body)", url, lines(sent["string"])))
    assert await page.evaluate(call(JSON_BLOB, url, json.dumps(sent["blob"])))
    answers = [
        await page.evaluate(fetched(url, json.dumps(sent["json"]), "application/json", keepalive=True)),
        await page.evaluate(fetched(url, lines(sent["ndjson"]), "application/x-ndjson")),
        await page.evaluate(fetched(url, lines(sent["text"]), credentials="include")),
        await page.evaluate(fetched(url, lines(sent["keepalive"]), keepalive=True)),
    ]

    assert answers == ['200 {"accepted":3,"rejected":[]}'] * 4
    everything = [action for way in sent.values() for action in way]
    await product.until_accepted(len(everything))
    assert await product.differences(everything) == {}
    assert await product.metric("actions_accepted") == len(everything)


async def test_a_form_counts_whether_the_page_or_its_script_sends_it(
    product: Product, pages: Pages, page: "Page"
) -> None:
    url = f"{product.url}/analytics"
    sent = [{**action, "id": f"{index} &"} for index, action in enumerate(made("ü & form", 4))]
    fields = "".join(f'<input name={name} value="{value}">' for name, value in sent[0].items())
    pages.content["/form"] = (
        f'<meta charset=utf-8><form method=post action="{url}">{fields}<button>Send</button></form>'
    )
    await page.goto(f"{pages.origin}/form")

    async with page.expect_response(url) as answer:
        await page.click("button")
    assert (await answer.value).status == 204
    form = "(url, action) => navigator.sendBeacon(url, new URLSearchParams(action))"
    assert await page.evaluate(call(form, url, sent[1]))
    form = (
        "(url, action) => fetch(url, { method: 'POST', body: new URLSearchParams(action) }).then(done => done.status)"
    )
    assert await page.evaluate(call(form, url, sent[2])) == 204
    typed = fetched(url, urlencode(sent[3]), "application/x-www-form-urlencoded", keepalive=True)
    assert await page.evaluate(typed) == "204 "

    await product.until_accepted(len(sent))
    assert await product.differences(sent) == {}
    assert await product.metric("actions_accepted") == len(sent)


async def test_an_action_in_the_query_counts_by_beacon_form_and_ping(
    product: Product, pages: Pages, page: "Page"
) -> None:
    sent = [*made("beacon", 1), *made("form", 1), *made("ping", 1)]
    beacon, form, ping = (f"{product.url}/analytics?{urlencode(action)}" for action in sent)
    pages.content["/form"] = f'<form method=post action="{form}"><button>Send</button></form>'
    pages.content["/link"] = f'<a href="/" ping="{ping}">Go</a>'
    await page.goto(pages.origin)

    assert await page.evaluate(call("url => navigator.sendBeacon(url)", beacon))
    await page.goto(f"{pages.origin}/form")
    async with page.expect_response(form) as answer:
        await page.click("button")
    assert (await answer.value).status == 204
    await page.goto(f"{pages.origin}/link")
    await page.click("a")

    await product.until_accepted(len(sent))
    assert await product.differences(sent) == {}
    assert await product.metric("actions_accepted") == len(sent)


async def test_a_page_reads_errors_too(product: Product, pages: Pages, page: "Page") -> None:
    await page.goto(pages.origin)

    problem = await page.evaluate(fetched(f"{product.url}/v1/actions", "[", "application/json"))
    refused = await page.evaluate(fetched(f"{product.url}/v1/actions", "{}", "text/csv"))

    assert (problem[:3], refused[:3]) == ("400", "415")
    assert json.loads(refused[4:])["code"] == "media_type_unsupported"


async def test_pages_of_origins_that_are_not_listed_send_what_browsers_do_not_ask_about_and_read_nothing(
    product: Product, pages: Pages, page: "Page"
) -> None:
    url = f"{product.url}/v1/actions"
    counted, blocked = {way: made(way) for way in ("string", "text", "no-cors")}, made("blocked")
    await page.goto(pages.other_origin)

    assert await page.evaluate(call("(url, body) => navigator.sendBeacon(url, body)", url, lines(counted["string"])))
    answers = [
        await page.evaluate(fetched(url, lines(counted["text"]))),
        await page.evaluate(fetched(url, lines(counted["no-cors"]), mode="no-cors")),
        await page.evaluate(fetched(url, json.dumps(blocked), "application/json")),
    ]

    assert answers == ["TypeError", "0 ", "TypeError"]
    everything = [action for way in counted.values() for action in way]
    await product.until_accepted(len(everything))
    assert await product.differences(everything) == {}
    assert await product.metric("actions_accepted") == len(everything)


async def test_with_a_star_all_pages_read_answers_but_what_sends_cookies_must_not_ask_first(
    start_product: StartProduct, pages: Pages, page: "Page"
) -> None:
    product = start_product(ingest_origins="*")
    url = f"{product.url}/v1/actions"
    await page.goto(pages.other_origin)

    plain = await page.evaluate(fetched(url, json.dumps(made("plain")), "application/json"))
    with_cookies = await page.evaluate(
        fetched(url, json.dumps(made("cookies")), "application/json", credentials="include")
    )

    async with page.expect_event("requestfailed"):
        await page.evaluate(call(JSON_BLOB, url, json.dumps(made("blob"))))
    async with page.expect_event("requestfinished"):
        await page.evaluate(call("(url, body) => navigator.sendBeacon(url, body)", url, lines(made("string"))))

    assert (plain, with_cookies) == ('200 {"accepted":3,"rejected":[]}', "TypeError")
    await product.until_accepted(6)
    assert await product.differences([*made("plain"), *made("string")]) == {}
    assert await product.metric("actions_accepted") == 6


async def test_pixels_count_also_in_pages_that_embed_only_what_allows_it(
    product: Product, pages: Pages, page: "Page"
) -> None:
    pages.headers = {"Cross-Origin-Embedder-Policy": "require-corp"}
    sent = made("pixel", 3)
    rejected = {"user": "u", "event": "unheard_of"}
    await page.goto(pages.other_origin)

    loaded = [
        await page.evaluate(call(LOADED, f"{product.url}/v1/pixel.gif?{urlencode(action)}"))
        for action in (*sent, rejected)
    ]

    assert loaded == ["1x1"] * 4
    assert await product.metric("actions_rejected", code="event_unknown") == 1
    assert await product.differences(sent) == {}
    assert await product.metric("actions_accepted") == len(sent)


async def test_a_pixel_without_a_timestamp_counts_in_the_hour_of_its_arrival(
    product: Product, pages: Pages, page: "Page"
) -> None:
    action = {"user": "u", "event": "impression"}
    await page.goto(pages.origin)

    before = time.time_ns() // 1_000_000
    assert await page.evaluate(call(LOADED, f"{product.url}/v1/pixel.gif?{urlencode(action)}")) == "1x1"
    after = time.time_ns() // 1_000_000

    differences = [await product.differences([{**action, "timestamp": when}]) for when in (before, after)]
    assert {} in differences


async def test_a_pixel_whose_answer_got_lost_calls_onerror_and_counts_once_when_sent_again(
    product: Product, pages: Pages, page: "Page"
) -> None:
    sent = [{**action, "id": "7f0c"} for action in made("pixel", 1)]
    await page.goto(pages.origin)

    async with LostAnswers(product.port, method="GET") as proxy:
        url = f"{proxy.url}/v1/pixel.gif?{urlencode(sent[0])}"
        assert [await page.evaluate(call(LOADED, url)) for _ in range(2)] == ["error", "1x1"]

    assert await product.metric("actions_accepted") == 2
    assert await product.differences(sent) == {}


@pytest.fixture
def gateway(product: Product, tmp_path: Path) -> Iterator[str]:
    """The address of a gateway before the product."""
    upstreams = {
        "GATEWAY_INGEST": f"127.0.0.1:{product.port}",
        "GATEWAY_AGGREGATOR": f"127.0.0.1:{product.aggregator_port}",
    }
    gateway = Gateway(tmp_path / "gateway", free_port(), tmp_path / "gateway.log", upstreams)
    gateway.start()
    try:
        gateway.wait_until_ready()
        yield f"http://127.0.0.1:{gateway.port}"
    finally:
        gateway.kill()


async def test_what_pages_send_and_read_passes_through_the_gateway(
    product: Product, gateway: str, pages: Pages, page: "Page"
) -> None:
    batch, query, pixel = made("batch"), made("query", 1), made("pixel", 1)
    ask_first = {"Content-Type": "application/json", "X-Retry-Count": "1"}
    await page.goto(pages.origin)

    answers = [
        await page.evaluate(fetched(f"{gateway}/v1/actions", json.dumps(batch), headers=ask_first)),
        await page.evaluate(fetched(f"{gateway}/analytics?{urlencode(query[0])}", "", headers=ask_first)),
        await page.evaluate(call(LOADED, f"{gateway}/v1/pixel.gif?{urlencode(pixel[0])}")),
    ]
    too_large = await page.evaluate(fetched(f"{gateway}/v1/actions", "[" + " " * 9_000_000))

    assert answers == ['200 {"accepted":3,"rejected":[]}', "204 ", "1x1"]
    assert too_large.startswith("413 {")
    assert await product.differences([*batch, *query, *pixel]) == {}


def snippet() -> str:
    """The script of the document."""
    (script,) = re.findall(r"^```js\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return str(script)


def with_snippet(pages: Pages, url: str) -> str:
    """The address of a page that has loaded the script, for this collector."""
    script = snippet().replace("https://collector.example", url)
    assert url in script
    pages.content["/tracked"] = f"<!doctype html><script>{script}</script>"
    return f"{pages.origin}/tracked"


def tracked(requests: list[bytes]) -> list[Action]:
    """The actions in the bodies of requests."""
    bodies = [request.partition(b"\r\n\r\n")[2] for request in requests]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_the_snippet_is_short() -> None:
    assert len(snippet().splitlines()) <= 30


async def test_what_the_snippet_tracks_counts_once_though_first_answers_get_lost(
    product: Product, pages: Pages, page: "Page"
) -> None:
    async with LostAnswers(product.port, losses=2) as proxy:
        await page.goto(with_snippet(pages, proxy.url))
        await page.evaluate("for (let i = 0; i < 120; i++) track(`u${i % 7}`, i % 3 ? 'click' : 'impression')")
        await page.wait_for_function("waiting.length === 0")
        await page.evaluate("track('late', 'click')")
        await page.wait_for_function("waiting.length === 0")

    sent = tracked(proxy.delivered)
    assert [len(tracked([request])) for request in proxy.delivered] == [50, 50, 20, 1]
    assert [tracked([request]) for request in proxy.lost] == [sent[:50], sent[:50]]
    assert len({action["id"] for action in sent}) == 121
    assert await product.metric("actions_accepted") == 121 + 2 * 50
    assert await product.differences(sent) == {}


async def test_what_the_snippet_tracked_just_before_its_page_is_left_counts_once(
    product: Product, pages: Pages, page: "Page"
) -> None:
    async with LostAnswers(product.port, losses=0) as proxy:
        await page.goto(with_snippet(pages, proxy.url))
        await page.evaluate("for (let i = 0; i < 120; i++) track(`u${i % 7}`, 'click')")
        await page.goto(f"{pages.origin}/elsewhere")
        await product.until_accepted(120)
        while len(tracked(proxy.delivered)) < 120:  # noqa: ASYNC110 - the answer passes the proxy after that
            await asyncio.sleep(0.01)

    sent = tracked(proxy.delivered)
    assert len({action["id"] for action in sent}) == 120
    assert await product.differences(sent) == {}


async def test_the_snippet_gives_up_on_what_would_be_refused_each_time(
    product: Product, pages: Pages, page: "Page"
) -> None:
    await page.goto(with_snippet(pages, product.url))

    await page.evaluate("track('u', 'unheard_of')")
    await page.wait_for_function("waiting.length === 0")

    assert await product.metric("actions_rejected", code="event_unknown") == 1
