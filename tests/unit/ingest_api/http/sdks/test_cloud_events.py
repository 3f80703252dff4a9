import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
NOON = 1_795_780_800_000
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "com.example.click",
    "subject": "u1",
    "time": "2026-11-27T12:00:00Z",
}
ACTION = Action(NOON, "u1", "click", "/shop 1")
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
HEADERS = {f"ce-{name}": value for name, value in EVENT.items()}
PATHS = ["/v1/events", "/v1/actions"]


class Api:
    """The app on a log in memory, and a client of it."""

    def __init__(self, log: MemoryPublisher, metrics: Metrics, client: httpx.AsyncClient) -> None:
        self.log = log
        self.client = client
        self._metrics = metrics

    async def post(
        self, body: object, content_type: str | None = STRUCTURED, path: str = "/v1/events", **headers: str
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {} if content_type is None else {"Content-Type": content_type}
        return await self.client.post(path, content=content, headers={**named, **headers})

    async def binary(self, body: bytes = b"", content_type: str | None = None, **change: str) -> httpx.Response:
        return await self.post(body, content_type, **{**HEADERS, **change})

    def count(self, name: str, **labels: str) -> float:
        return self._metrics.registry.get_sample_value(f"collector_ingest_{name}", labels) or 0


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Api]:  # noqa: ANN401 - settings are of many types
    log, metrics = MemoryPublisher(), Metrics()
    app = create_app(IngestSettings(**settings), log, metrics, clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api") as client,
    ):
        yield Api(log, metrics, client)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with opened() as one:
        yield one


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, which must be of this status and code."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["title"] == HTTPStatus(status).phrase
    return told


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [STRUCTURED, f"{STRUCTURED}; charset=UTF-8", "Application/CloudEvents+JSON"])
@pytest.mark.parametrize("body", [json.dumps(EVENT).encode(), gzip.compress(json.dumps(EVENT, indent=1).encode())])
async def test_a_structured_event_is_answered_204_with_an_empty_body_once_it_is_in_the_log(
    api: Api, path: str, content_type: str, body: bytes
) -> None:
    answer = await api.post(body, content_type, path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.log.published == [ACTION]


@pytest.mark.parametrize("content_type", [None, "application/json", "image/png", "text/plain; charset=latin-1"])
@pytest.mark.parametrize("body", [b"", b"\xff", b"\x1f\x8b no gzip", b'{"subject":"other"}'])
async def test_an_event_in_headers_is_taken_whatever_its_data_are(
    api: Api, content_type: str | None, body: bytes
) -> None:
    answer = await api.binary(body, content_type)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.log.published == [ACTION]


async def test_the_data_of_an_event_in_headers_may_come_in_chunks_and_are_bounded() -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    async with opened(ingest_max_body_bytes=1000) as api:
        assert (await api.client.post("/v1/events", content=chunks(10), headers=HEADERS)).status_code == 204
        problem(await api.client.post("/v1/events", content=chunks(11), headers=HEADERS), 413, "body_too_large")
        problem(await api.binary(b"x" * 1001), 413, "body_too_large")
        assert api.log.published == [ACTION]
        assert api.count("body_bytes") == 0


async def test_data_that_do_not_end_are_answered_408() -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        await waiting.wait()

    async with opened(ingest_body_timeout=timedelta(milliseconds=10)) as api:
        answer = await api.client.post("/v1/events", content=endless(), headers=HEADERS)
        problem(answer, 408, "body_too_slow")
        assert api.log.published == []


async def test_a_header_is_percent_decoded_and_one_that_cannot_be_is_named(api: Api) -> None:
    assert (await api.binary(**{"ce-subject": "%C3%BC%201"})).status_code == 204
    assert api.log.published[0].user == "ü 1"
    told = problem(await api.binary(**{"ce-subject": "100%"}), 400, "header_malformed")
    assert (told["field"], told["value"].strip("'")) == ("subject", "100%")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [BATCHED, f"{BATCHED};charset=utf-8", STRUCTURED])
async def test_a_batch_is_answered_with_how_many_came_in_and_which_did_not(
    api: Api, path: str, content_type: str
) -> None:
    answer = await api.post([EVENT, 7, {**EVENT, "id": "2", "subject": None}, {**EVENT, "id": "3"}], content_type, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told = answer.json()
    assert told["accepted"] == 2
    assert [(one["index"], one["code"], one["field"]) for one in told["rejected"]] == [
        (1, "not_object", None),
        (2, "user_missing", "subject"),
    ]
    assert api.log.published == [ACTION, Action(NOON, "u1", "click", "/shop 3")]
    assert api.log.publications == 1


@pytest.mark.parametrize("path", PATHS)
async def test_a_batch_of_which_nothing_is_accepted_is_422_and_an_empty_one_200(api: Api, path: str) -> None:
    answer = await api.post([{}], BATCHED, path)
    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (422, 0, 1)
    answer = await api.post([], BATCHED, path)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": []})


@pytest.mark.parametrize("path", PATHS)
async def test_a_strict_batch_is_published_whole_or_not_at_all(api: Api, path: str) -> None:
    answer = await api.post([EVENT, {}], BATCHED, f"{path}?strict=true")
    assert (answer.status_code, answer.json()["accepted"]) == (422, 0)
    assert api.log.published == []
    assert (await api.post([EVENT], BATCHED, f"{path}?strict=true")).json()["accepted"] == 1


async def test_a_single_event_of_the_batched_type_is_a_batch_of_one(api: Api) -> None:
    assert (await api.post(EVENT, BATCHED)).json() == {"accepted": 1, "rejected": []}
    assert api.log.published == [ACTION]


@pytest.mark.parametrize("way", ["structured", "binary"])
@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("specversion", "0.3", "specversion_unsupported", "specversion is 1.0"),
        ("type", "com.example.share", "event_unknown", "the last dotted part of type is one of click, impression"),
        ("time", "yesterday", "timestamp_malformed", "RFC 3339"),
        ("time", "2099-01-01T00:00:00Z", "timestamp_in_future", "ahead of the server's clock"),
        ("subject", "u" * 257, "user_too_long", "subject has at most 256 characters"),
        ("source", "", "source_empty", "source has at least one character"),
    ],
)
async def test_an_event_that_breaks_a_rule_is_answered_with_the_evidence(
    api: Api, way: str, name: str, value: str, code: str, says: str
) -> None:
    answer = await (api.post({**EVENT, name: value}) if way == "structured" else api.binary(**{f"ce-{name}": value}))
    told = problem(answer, 400, code)
    assert told["field"] == name
    assert told["value"].strip("'\"").startswith(value[:60])
    assert told["detail"].startswith(name)
    assert says in told["rule"]
    assert api.log.published == []
    assert api.count("actions_rejected_total", code=code) == 1


async def test_a_body_that_is_no_event_is_said_to_be_the_body(api: Api) -> None:
    told = problem(await api.post(b"?"), 400, "not_json")
    assert told["detail"] == "body ?: a CloudEvent is one JSON object in UTF-8"


async def test_without_a_time_it_is_the_time_of_arrival(api: Api) -> None:
    await api.post({**EVENT, "time": None})
    assert api.log.published[0].timestamp == NOW


async def test_types_are_events_by_a_setting() -> None:
    async with opened(cloudevents_events="com.example.seen=impression,com.example.click.*=click") as api:
        for type_ in ("com.example.seen", "com.example.click.v2", "click"):
            assert (await api.post({**EVENT, "type": type_})).status_code == 204
        assert [action.event for action in api.log.published] == ["impression", "click", "click"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415, "media_type_unsupported"),
        (b"{}", {}, 415, "media_type_unsupported"),
        (b"{}", {"Content-Type": "application/cloudevents+avro"}, 415, "media_type_unsupported"),
        (b"{}", {"Content-Type": "application/cloudevents"}, 415, "media_type_unsupported"),
        (b"{}", {"Content-Type": f"{STRUCTURED}; charset=utf-16"}, 415, "media_type_unsupported"),
        (b"{}", {"Content-Type": STRUCTURED, "Content-Encoding": "br"}, 415, "encoding_unsupported"),
        (b"", {"Content-Type": STRUCTURED}, 400, "body_empty"),
        (b" \n", {"Content-Type": BATCHED}, 400, "body_empty"),
        (b"[{}", {"Content-Type": BATCHED}, 400, "array_malformed"),
        (b"[1,2,3,4]", {"Content-Type": BATCHED}, 413, "too_many_lines"),
    ],
)
async def test_a_body_that_is_refused_as_a_whole_publishes_nothing(
    body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with opened(ingest_max_lines=3) as api:
        answer = await api.client.post("/v1/events", content=body, headers=headers)
        problem(answer, status, code)
        if code == "media_type_unsupported":
            assert STRUCTURED in answer.headers["accept-post"]
        assert api.log.published == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_query_that_a_batch_does_not_have_is_refused(api: Api, path: str) -> None:
    problem(await api.post(EVENT, path=f"{path}?stirct=true"), 400, "parameter_unknown")


async def test_commas_in_data_are_no_events_up_to_a_bound_that_is_told() -> None:
    async with opened(ingest_max_lines=3) as api:
        event = {**EVENT, "data": "," * 60_000}
        assert (await api.post([event] * 3, BATCHED)).json()["accepted"] == 3
        told = problem(await api.post(b"[" + b"0," * 320_001 + b"0]", BATCHED), 413, "too_many_lines")
        assert "at most 320000 are read" in told["detail"]


@pytest.mark.parametrize("way", ["structured", "binary", "batched"])
@pytest.mark.parametrize(
    ("failure", "code"),
    [(OutcomeUnknown("timed out"), "outcome_unknown"), (NotPublished("no memory"), "not_published")],
)
async def test_while_the_log_is_away_the_answer_is_503_and_says_when_to_try_again(
    api: Api, way: str, failure: NotPublished | OutcomeUnknown, code: str
) -> None:
    api.log.failure = failure
    ways = {"structured": api.post(EVENT), "batched": api.post([EVENT], BATCHED), "binary": api.binary()}
    answer = await ways.pop(way)
    for other in ways.values():
        other.close()
    problem(answer, 503, code)
    assert int(answer.headers["retry-after"]) > 0


async def test_actions_are_taken_where_they_were_as_before(api: Api) -> None:
    answer = await api.post(encode_action(ACTION), "application/json", "/v1/actions", **HEADERS)
    assert answer.json() == {"accepted": 1, "rejected": []}
    assert api.log.published == [ACTION]


@pytest.mark.parametrize("name", sorted(EVENT))
async def test_an_attribute_that_is_nested_however_deep_is_refused(api: Api, name: str) -> None:
    text = json.dumps({**EVENT, name: "deep"})
    for depth in range(900, 1_000, 5):
        answer = await api.post(text.replace('"deep"', "[" * depth + "]" * depth).encode())
        assert answer.status_code == 400, (depth, answer.text)
    assert api.log.published == []
