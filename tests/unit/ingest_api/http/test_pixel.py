"""An image that counts: it has no voice but to load or to fail."""

import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contract.log.action import Action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
GOOD = {"timestamp": str(NOW - 5), "user": "u 1", "event": "click", "id": "i"}


class Api:
    def __init__(self, client: httpx.AsyncClient, log: MemoryPublisher, metrics: Metrics) -> None:
        self.client = client
        self.log = log
        self._metrics = metrics

    async def get(self, **query: str) -> httpx.Response:
        return await self.client.get("/v1/pixel.gif", params=query)

    def rejected(self, code: str) -> float:
        return self._metrics.registry.get_sample_value("collector_ingest_actions_rejected_total", {"code": code}) or 0


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    log, metrics = MemoryPublisher(), Metrics()
    app = create_app(IngestSettings(), log, metrics, clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield Api(client, log, metrics)


def is_transparent_pixel(image: bytes) -> bool:
    """By the blocks that GIF 89a has: a screen of one pixel, and an extension that makes a colour transparent."""
    head, width, height, flags = struct.unpack("<6sHHB", image[:11])
    colours = 3 * 2 ** ((flags & 7) + 1)
    extension = image[13 + colours :]
    return (
        (head, width, height, flags >> 7) == (b"GIF89a", 1, 1, 1)
        and extension[:3] == b"\x21\xf9\x04"
        and extension[3] & 1 == 1
        and image.endswith(b"\x3b")
    )


async def test_an_action_is_answered_with_an_image_that_nobody_keeps_once_it_is_in_the_log(api: Api) -> None:
    answer = await api.get(**GOOD)
    assert (answer.status_code, answer.headers["content-type"], len(answer.content)) == (200, "image/gif", 43)
    assert is_transparent_pixel(answer.content)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "collector-rejected" not in answer.headers
    assert api.log.published == [Action(NOW - 5, "u 1", "click", "i")]


async def test_without_a_timestamp_it_is_the_time_of_arrival(api: Api) -> None:
    answer = await api.get(user="u", event="impression")
    assert answer.status_code == 200
    assert api.log.published == [Action(NOW, "u", "impression")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "user_missing"),
        ({**GOOD, "event": "view"}, "event_unknown"),
        ({**GOOD, "timestamp": "now"}, "timestamp_not_integer"),
        ({**GOOD, "timestamp": ""}, "timestamp_not_integer"),
        ({**GOOD, "timestamp": str(NOW + 3_600_001)}, "timestamp_in_future"),
        ({**GOOD, "colour": "red"}, "unknown_field"),
    ],
)
async def test_a_rejected_action_is_the_image_as_well_and_a_header_tells_why(
    api: Api, query: dict[str, str], code: str
) -> None:
    rejected, taken = await api.get(**query), await api.get(**GOOD)
    assert (rejected.status_code, rejected.content) == (200, taken.content)
    assert rejected.headers["cache-control"] == "no-store"
    assert rejected.headers["collector-rejected"].startswith(f"{code}: ")
    assert len(api.log.published) == 1
    assert api.rejected(code) == 1


@pytest.mark.parametrize("user", ["ü" * 300, "a\r\nSet-Cookie: b=c", "\u2028\u0085" * 200])
async def test_the_reason_is_one_line_of_ascii_whatever_was_sent(api: Api, user: str) -> None:
    answer = await api.get(user=user, event="click")
    (value,) = [value for name, value in answer.headers.raw if name.lower() == b"collector-rejected"]
    assert all(b" "[0] <= byte <= b"~"[0] for byte in value)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("failure", [NotPublished("no room"), OutcomeUnknown("no answer")])
async def test_what_is_not_acknowledged_is_no_image_so_that_the_page_s_onerror_can_try_again(
    api: Api, failure: PublishUnavailable
) -> None:
    api.log.failure = failure
    answer = await api.get(**GOOD)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "1"
    assert "collector-rejected" not in answer.headers


async def test_a_head_request_has_the_image_s_headers_and_counts_nothing(api: Api) -> None:
    head, get = await api.client.head("/v1/pixel.gif", params=GOOD), await api.get(**GOOD)
    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)
    assert len(api.log.published) == 1


async def test_other_methods_are_refused(api: Api) -> None:
    answer = await api.client.post("/v1/pixel.gif", params=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert api.log.published == []


async def test_it_is_documented_with_what_it_takes_and_answers(api: Api) -> None:
    document: dict[str, Any] = (await api.client.get("/openapi.json")).json()
    told = document["paths"]["/v1/pixel.gif"]["get"]
    required = {one["name"]: one["required"] for one in told["parameters"]}
    assert required == {"timestamp": False, "user": True, "event": True, "id": False}
    assert list(told["responses"]["200"]["content"]) == ["image/gif"]
    assert list(told["responses"]["200"]["headers"]) == ["Collector-Rejected", "Collector-Position"]
    assert {"500", "503"} <= told["responses"].keys()
    assert "400" not in told["responses"]
