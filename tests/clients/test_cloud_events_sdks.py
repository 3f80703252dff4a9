"""The CloudEvents SDKs of PyPI and npm send in each of their content modes, twice, and each event counts once."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.clients.lost_answers import LostAnswers
from support.clients.node import run_node
from support.clients.product import Product, StartProduct

pytestmark = pytest.mark.clients

SCRIPT = Path(__file__).parent / "send_cloud_events.js"
DOCUMENT = Path(__file__).parents[2] / "docs/cloudevents.md"
THEN = datetime(2026, 10, 25, 0, 59, 59, 999_500, tzinfo=UTC)
"""Some of what happens from here on lies in the next hour."""
EVENTS = 30
Post = Callable[[str, Mapping[str, str], bytes], int]


def made(user: str = "ü 100%") -> list[dict[str, Any]]:
    """Attributes and data of events of three users; the first half of them names its users by another attribute."""
    return [
        {
            "id": f"{index}",
            "source": "https://shop.example/" + ("long" * 40 if index % 5 == 0 else "web"),
            "type": "com.example.click" if index % 3 else "com.example.seen",
            "partitionkey" if index < EVENTS / 2 else "subject": f"{user}{index % 3}",
            "time": (THEN + timedelta(microseconds=100 * index)).isoformat(),
            "data": {"id": "of the data", "index": index},
        }
        for index in range(EVENTS)
    ]


def actions(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What these count as, once each."""
    return [
        {
            "timestamp": int(datetime.fromisoformat(event["time"]).timestamp() * 1000),
            "user": event.get("subject") or event["partitionkey"],
            "event": "impression" if event["type"].endswith("seen") else "click",
            "id": f"{event['source']} {event['id']}",
        }
        for event in events
    ]


@pytest.fixture
def product(start_product: StartProduct) -> Product:
    return start_product(cloudevents_events="*.seen=impression")


def post_with_requests(url: str, headers: Mapping[str, str], body: bytes) -> int:
    import requests  # noqa: PLC0415 - see conftest.py

    return int(requests.post(url, headers=headers, data=body, timeout=60).status_code)


def post_with_httpx(url: str, headers: Mapping[str, str], body: bytes) -> int:
    return httpx.post(url, headers=headers, content=body, timeout=60).status_code


def message_of(mode: str, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    from cloudevents.core.bindings import http  # noqa: PLC0415 - see conftest.py
    from cloudevents.core.v1.event import CloudEvent  # noqa: PLC0415 - see conftest.py

    attributes = {name: value for name, value in event.items() if name != "data"}
    one = CloudEvent({**attributes, "time": datetime.fromisoformat(event["time"])}, event["data"])
    message = http.to_binary_event(one) if mode == "binary" else http.to_structured_event(one)
    return message.headers, message.body


def message_of_v1(mode: str, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """By the API that the SDK had before its version 2."""
    from cloudevents.v1.conversion import to_binary, to_structured  # noqa: PLC0415 - see conftest.py
    from cloudevents.v1.http import CloudEvent  # noqa: PLC0415 - see conftest.py

    attributes = {name: value for name, value in event.items() if name != "data"}
    return (to_binary if mode == "binary" else to_structured)(CloudEvent(attributes, event["data"]))


@pytest.mark.parametrize("mode", ["structured", "binary"])
@pytest.mark.parametrize("post", [post_with_requests, post_with_httpx])
async def test_what_pythons_sends_twice_counts_once(product: Product, mode: str, post: Post) -> None:
    events = made()
    messages = [message_of(mode, event) for event in events]
    assert all(("content-type" in headers) == (mode == "structured") for headers, _ in messages)

    statuses = [
        await asyncio.to_thread(post, f"{product.url}/v1/events", *message) for message in messages for _ in range(2)
    ]

    assert statuses == [204] * 2 * EVENTS
    assert await product.metric("actions_accepted") == 2 * EVENTS
    assert await product.differences(actions(events)) == {}


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_what_pythons_sent_before_its_version_2_counts_too(product: Product, mode: str) -> None:
    events = made(user="u")
    messages = [message_of_v1(mode, event) for event in events]

    for message in messages:
        assert await asyncio.to_thread(post_with_requests, f"{product.url}/v1/events", *message) == 204

    assert await product.differences(actions(events)) == {}


async def send_with_npms(url: str, mode: str, events: list[dict[str, Any]]) -> list[str]:
    """The bodies of the answers."""
    answers: list[str] = json.loads(await run_node(SCRIPT, f"{url}/v1/events", mode, json.dumps(events)))
    return answers


@pytest.mark.parametrize("mode", ["structured", "binary", "batched"])
async def test_what_npms_sends_twice_counts_once(product: Product, mode: str) -> None:
    events = made(user="u" if mode == "binary" else "ü 100%")

    answers = [*await send_with_npms(product.url, mode, events), *await send_with_npms(product.url, mode, events)]

    if mode == "batched":
        assert [json.loads(answer) for answer in answers] == [{"accepted": EVENTS, "rejected": []}] * 2
    else:
        assert answers == [""] * 2 * EVENTS
    assert await product.metric("actions_accepted") == 2 * EVENTS
    assert await product.differences(actions(events)) == {}


@pytest.mark.parametrize("mode", ["structured", "binary", "batched"])
async def test_what_npms_sends_again_because_its_answer_got_lost_counts_once(product: Product, mode: str) -> None:
    events = made(user="u")
    async with LostAnswers(product.port) as proxy:
        (lost, *_) = await send_with_npms(proxy.url, mode, events)
        await send_with_npms(proxy.url, mode, events)

    assert json.loads(lost)["code"] == "outcome_unknown"
    assert await product.metric("actions_accepted") == 2 * EVENTS
    assert await product.differences(actions(events)) == {}


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_what_npms_is_refused_is_named_in_the_answer_that_it_resolves_to(product: Product, mode: str) -> None:
    events = made(user="u")
    events[0]["type"] = "com.example.share"
    events[-1]["subject"] = "é" if mode == "binary" else "\N{DELETE}"

    answers = await send_with_npms(product.url, mode, events)

    assert answers[1:-1] == [""] * (EVENTS - 2)
    refused = [json.loads(answer) for answer in (answers[0], answers[-1])]
    assert [(one["status"], one["field"]) for one in refused] == [(400, "type"), (400, "subject")]
    assert await product.differences(actions(events[1:-1])) == {}


def example(language: str, product: Product) -> str:
    """The code of the document, as it would send to this product."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return code.replace("http://127.0.0.1:8080", product.url)


async def test_the_documents_examples_send(product: Product, tmp_path: Path) -> None:
    sent: dict[str, Any] = {}
    await asyncio.to_thread(exec, example("python", product), sent)
    await product.until_accepted(1)
    script = tmp_path / "script.js"
    script.write_text(example("javascript", product) + "console.log(event.time, event.id);")

    time, id_ = (await run_node(script)).split()

    of_python = sent["event"].get_attributes()
    made_by_both = [(of_python["time"].isoformat(), of_python["id"]), (time, id_)]
    source, type_ = "https://shop.example/web", "com.example.click"
    events = [{"time": at, "id": one, "source": source, "type": type_, "subject": "u1"} for at, one in made_by_both]
    assert await product.differences(actions(events)) == {}
