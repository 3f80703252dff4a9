import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from contract.log.action import Action
from ingest_api.app import create_app
from ingest_api.decoding.segment.event_rules import CALL_TYPES
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_795_780_800_000
"""2026-11-27T12:00:00Z."""
CALL = {"userId": "u", "messageId": "m", "timestamp": "2026-11-27T12:00:00Z"}
PAGE = {**CALL, "type": "page"}
CLICK = {**CALL, "type": "track", "event": "Clicked"}
BATCH_PATHS = ("/v1/batch", "/v1/b", "/v1/import", "/v1/import/", "/beacon/v1/batch")
SINGLE_PATHS = {
    "/v1/track": "click",
    "/v1/t": "click",
    "/v1/page": "impression",
    "/v1/p": "impression",
    "/v1/screen": "impression",
    "/v1/s": "impression",
    "/v1/identify": None,
    "/v1/i": None,
    "/v1/group": None,
    "/v1/g": None,
    "/v1/alias": None,
    "/v1/a": None,
}
"""With the event that CLICK is there."""


class Api:
    """The app on a log in memory, and a client of it."""

    def __init__(self, log: MemoryPublisher, metrics: Metrics, client: httpx.AsyncClient) -> None:
        self.log = log
        self.client = client
        self._metrics = metrics

    async def post(self, path: str, payload: object, **headers: str) -> httpx.Response:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return await self.client.post(path, content=content, headers=headers)

    def count(self, name: str, **labels: str) -> float:
        return self._metrics.registry.get_sample_value(f"collector_ingest_{name}_total", labels) or 0


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[Api]:  # noqa: ANN401 - settings are of many types
    log, metrics = MemoryPublisher(), Metrics()
    app = create_app(IngestSettings(**settings), log, metrics, clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield Api(log, metrics, client)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with opened() as one:
        yield one


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, as SDKs read it."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["message"] == problem["detail"]
    return answer.status_code, problem["code"]


def test_the_paths_are_those_of_the_protocol() -> None:
    assert {*BATCH_PATHS, *SINGLE_PATHS} == SEGMENT_PATHS


@pytest.mark.parametrize("path", BATCH_PATHS)
async def test_the_calls_of_a_batch_that_are_events_are_published_at_once(api: Api, path: str) -> None:
    answer = await api.post(path, {"batch": [PAGE, {**CALL, "type": "identify"}, CLICK], "writeKey": "k"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    assert api.log.published == [Action(NOW, "u", "impression", "m"), Action(NOW, "u", "click", "m")]
    assert api.log.publications == 1


@pytest.mark.parametrize(("path", "event"), SINGLE_PATHS.items())
async def test_a_single_call_is_of_the_type_that_its_path_names(api: Api, path: str, event: str | None) -> None:
    answer = await api.post(path, CLICK)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert api.log.published == ([] if event is None else [Action(NOW, "u", event, "m")])


async def test_what_is_no_event_is_counted_by_type_and_nothing_is_published(api: Api) -> None:
    calls = [{**CALL, "type": one} for one in ("identify", "track", "identify", "unheard")]
    assert (await api.post("/v1/batch", {"batch": calls})).json() == {"success": True}
    assert api.log.publications == 0
    counts = {one: api.count("calls_unmapped", type=one) for one in ("identify", "track", "group", "other")}
    assert counts == {"identify": 2, "track": 1, "group": 0, "other": 1}


async def test_what_is_rejected_is_counted_by_code_and_told_in_a_header_only(api: Api) -> None:
    calls = [PAGE, {**PAGE, "userId": ""}, {**PAGE, "timestamp": "ïme"}]
    answer = await api.post("/v1/batch", {"batch": calls})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["collector-rejected"] == "user_missing: user is required"
    assert len(api.log.published) == 1
    assert api.count("actions_rejected", code="user_missing") == 1
    assert api.count("actions_rejected", code="timestamp_malformed") == 1

    answer = await api.post("/v1/page", {**PAGE, "timestamp": "ïme"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert r"\u00efme" in answer.headers["collector-rejected"]
    assert "collector-rejected" not in (await api.post("/v1/page", PAGE)).headers


async def test_which_calls_are_events_is_a_setting() -> None:
    async with opened(segment_events="track:Product *=click,identify=impression") as api:
        calls = [PAGE, {**CALL, "type": "track", "event": "Product Clicked"}, {**CALL, "type": "identify"}]
        await api.post("/v1/batch", {"batch": calls})
        assert [action.event for action in api.log.published] == ["click", "impression"]
        assert api.count("calls_unmapped", type="page") == 1


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png", "x"],
)
@pytest.mark.parametrize("encoding", [None, "declared", "silent"])
async def test_type_and_encoding_may_be_declared_or_not(api: Api, content_type: str, encoding: str | None) -> None:
    body = json.dumps({"batch": [PAGE]}).encode()
    headers = {"Content-Type": content_type, "Authorization": "Basic a2V5Og=="}
    if encoding == "declared":
        headers["Content-Encoding"] = "gzip"
    answer = await api.post("/v1/batch?writeKey=k", gzip.compress(body) if encoding else body, **headers)
    assert (answer.status_code, len(api.log.published)) == (200, 1)


async def test_a_call_without_any_time_happens_when_it_arrives(api: Api) -> None:
    await api.post("/v1/page", {"userId": "u"})
    assert api.log.published == [Action(NOW, "u", "impression")]


@pytest.mark.parametrize("body", [b"", b"?", b"[]"])
async def test_a_body_that_no_sdk_sends_is_400(api: Api, body: bytes) -> None:
    for path in SEGMENT_PATHS:
        assert told(await api.post(path, body)) == (400, "body_malformed"), path
    assert api.count("problems", code="body_malformed") == len(SEGMENT_PATHS)


async def test_a_body_that_is_too_large_is_413() -> None:
    async with opened(ingest_max_body_bytes=100, ingest_max_lines=1) as api:
        assert told(await api.post("/v1/batch", b" " * 101)) == (413, "body_too_large")
        assert told(await api.post("/v1/batch", {"batch": [{}, {}]})) == (413, "too_many_calls")


@pytest.mark.parametrize(("setting", "status"), [({}, 503), ({"segment_unavailable_status": "429"}, 429)])
@pytest.mark.parametrize(
    ("failure", "code"), [(NotPublished("away"), "not_published"), (OutcomeUnknown("late"), "outcome_unknown")]
)
async def test_while_kafka_is_away_sdks_are_told_to_try_again(
    setting: dict[str, str], status: int, failure: NotPublished | OutcomeUnknown, code: str
) -> None:
    async with opened(segment_events=",".join(f"{one}=click" for one in CALL_TYPES), **setting) as api:
        api.log.failure = failure
        for path in SEGMENT_PATHS:
            answer = await api.post(path, {**CALL, "batch": [PAGE]})
            assert told(answer) == (status, code), path
            assert answer.headers["retry-after"] == "1", path


async def test_other_paths_answer_503_whatever_sdks_are_told() -> None:
    async with opened(segment_unavailable_status="429") as api:
        api.log.failure = NotPublished("away")
        answer = await api.client.post(f"/analytics?timestamp={NOW}&user=u&event=click")
        assert answer.status_code == 503
        assert "message" not in answer.json()


async def test_methods_and_errors_that_nobody_thought_of_are_told_as_sdks_read_them(api: Api) -> None:
    assert told(await api.client.get("/v1/batch")) == (405, "method_not_allowed")
    api.log.published = None  # type: ignore[assignment] # so that publishing fails in a way nobody thought of
    assert told(await api.post("/v1/page", PAGE)) == (500, "internal_error")


async def test_pages_of_listed_origins_may_send_calls() -> None:
    async with opened(ingest_origins="https://shop.example") as api:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "anonymousid,sentat"}
        answer = await api.client.options("/v1/page", headers={"Origin": "https://shop.example", **asked})
        assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (200, "anonymousid,sentat")
        answer = await api.post("/v1/page", PAGE, Origin="https://shop.example")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-origin" not in (await api.post("/v1/page", PAGE)).headers
