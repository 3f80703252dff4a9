import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
HOUR = 3_600_000
GOOD = {"timestamp": str(NOW), "user": "u1", "event": "click"}
ACTION = Action(NOW, "u1", "click")
LINE = encode_action(ACTION)
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"


class Api:
    """The app on a log in memory, and a client of it."""

    def __init__(self, app: FastAPI, log: MemoryPublisher, metrics: Metrics, client: httpx.AsyncClient) -> None:
        self.app = app
        self.log = log
        self.client = client
        self._metrics = metrics

    async def post(self, **query: str) -> httpx.Response:
        return await self.client.post("/analytics", params=query)

    async def batch(self, body: bytes, headers: dict[str, str] = NDJSON) -> httpx.Response:
        return await self.client.post("/v1/actions", content=body, headers=headers)

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
        yield Api(app, log, metrics, client)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with opened() as one:
        yield one


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, which must be of this status and code."""
    assert answer.headers["content-type"] == PROBLEM
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["title"] == HTTPStatus(status).phrase
    assert told["type"] == "about:blank"
    assert told["detail"]
    return told


async def test_an_action_is_answered_204_with_an_empty_body_once_it_is_in_the_log(api: Api) -> None:
    answer = await api.post(**GOOD, id="i1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.log.published == [Action(NOW, "u1", "click", "i1")]


async def test_the_classic_order_of_parameters_and_their_encoding_do_not_matter(api: Api) -> None:
    assert (await api.client.post(f"/analytics?event=click&user=%C3%BC+%26&timestamp={NOW}")).status_code == 204
    assert api.log.published == [Action(NOW, "ü &", "click")]


async def test_a_query_that_breaks_a_rule_is_answered_with_the_evidence(api: Api) -> None:
    told = problem(await api.post(**{**GOOD, "timestamp": "1e3"}), 400, "timestamp_not_integer")
    assert told["field"] == "timestamp"
    assert told["value"] == '"1e3"'
    assert told["rule"] == "timestamp is an integer: ms since the epoch"
    assert told["detail"] == 'timestamp "1e3": timestamp is an integer: ms since the epoch'
    assert api.log.published == []


async def test_a_parameter_that_is_missing_has_no_value(api: Api) -> None:
    told = problem(await api.post(user="u", event="click"), 400, "timestamp_missing")
    assert told["detail"] == told["rule"] == "timestamp is required"
    assert "value" not in told


async def test_the_value_is_shown_cut(api: Api) -> None:
    told = problem(await api.post(**{**GOOD, "user": "u" * 5000}), 400, "user_too_long")
    assert len(told["value"]) < 80


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"timestamp": str(NOW + HOUR + 1)}, "timestamp_in_future"),
        ({"event": "share"}, "event_unknown"),
        ({"user": ""}, "user_empty"),
    ],
)
async def test_the_api_s_rules_and_the_log_s_are_both_kept(api: Api, change: dict[str, str], code: str) -> None:
    problem(await api.post(**{**GOOD, **change}), 400, code)


async def test_the_api_s_rules_are_settings() -> None:
    async with opened(
        ingest_events="share", ingest_oldest=NOW - 5, ingest_future_tolerance=timedelta(seconds=1)
    ) as api:
        assert (await api.post(**{**GOOD, "event": "share", "timestamp": str(NOW + 1000)})).status_code == 204
        problem(await api.post(**GOOD), 400, "event_unknown")
        problem(await api.post(**{**GOOD, "event": "share", "timestamp": str(NOW - 6)}), 400, "timestamp_too_old")
        problem(await api.post(**{**GOOD, "event": "share", "timestamp": str(NOW + 1001)}), 400, "timestamp_in_future")


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", FORM.upper()])
async def test_a_form_s_body_is_taken_as_the_query_is(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    whole = await api.client.post("/analytics", content=urlencode({**GOOD, "user": "ü &"}), headers=headers)
    part = await api.client.post("/analytics?event=click", content=f"timestamp={NOW}&user=u2", headers=headers)
    assert (whole.status_code, part.status_code) == (204, 204)
    assert api.log.published == [Action(NOW, "ü &", "click"), Action(NOW, "u2", "click")]


async def test_a_parameter_in_the_query_and_in_the_form_is_repeated(api: Api) -> None:
    answer = await api.client.post("/analytics", params=GOOD, data={"user": "u1"})
    assert problem(answer, 400, "parameter_repeated")["field"] == "user"
    assert api.log.published == []


async def test_a_form_without_a_body_leaves_the_query_as_it_is(api: Api) -> None:
    answer = await api.client.post("/analytics", params=GOOD, headers={"Content-Type": FORM})
    assert (answer.status_code, api.log.published) == (204, [ACTION])


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_form_has_a_bound_however_it_comes(api: Api, *, streamed: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"x" * 1000

    content = pieces() if streamed else b"x" * 70_000
    answer = await api.client.post("/analytics", params=GOOD, content=content, headers={"Content-Type": FORM})
    problem(answer, 413, "body_too_large")
    assert api.log.published == []
    assert api.count("body_bytes") == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (LINE, "application/json"),
        (LINE, "text/plain"),
        (LINE, FORM),
        (b"[" + LINE + b"]", FORM),
        (b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nu\r\n--x--', "multipart/form-data; boundary=x"),
    ],
)
async def test_who_sends_an_action_in_a_body_that_is_not_read_is_told_where_it_goes(
    api: Api, body: bytes, content_type: str
) -> None:
    answer = await api.client.post("/analytics", content=body, headers={"Content-Type": content_type})
    detail = answer.json()["detail"]
    assert answer.status_code == 400
    assert "JSON go to POST /v1/actions" in detail
    assert FORM in detail
    assert "timestamp is required" in detail or "name=value" in detail


async def test_without_a_body_nothing_is_said_of_bodies(api: Api) -> None:
    assert problem(await api.post(), 400, "timestamp_missing")["detail"] == "timestamp is required"


async def test_a_body_on_a_single_action_is_ignored(api: Api) -> None:
    answer = await api.client.post("/analytics", params=GOOD, content=b'{"user":"other"}', headers=JSON)
    assert answer.status_code == 204
    assert api.log.published == [ACTION]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (LINE + b"\n?\n" + LINE + b"\n", NDJSON),
        (b"[" + LINE + b",7," + LINE + b"]", JSON),
        (gzip.compress(LINE + b"\n?\n" + LINE), {**NDJSON, "Content-Encoding": "gzip"}),
        (gzip.compress(b"[" + LINE + b",7," + LINE + b"]"), {**JSON, "Content-Encoding": "gzip"}),
    ],
)
async def test_a_batch_is_answered_with_how_many_came_in_and_which_did_not(
    api: Api, body: bytes, headers: dict[str, str]
) -> None:
    answer = await api.batch(body, headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["accepted"] == 2
    assert [(line["index"], line["field"]) for line in told["rejected"]] == [(1, None)]
    assert told["rejected"][0].keys() == {"index", "code", "field", "message"}
    assert api.log.published == [ACTION, ACTION]
    assert api.log.publications == 1


async def test_a_rejected_line_is_told_like_a_rejected_query(api: Api) -> None:
    told = (await api.batch(LINE.replace(b"click", b"share"))).json()
    message = 'event "share": event is one of click, impression'
    assert told == {
        "accepted": 0,
        "rejected": [{"index": 0, "code": "event_unknown", "field": "event", "message": message}],
        "rejected_by_code": {"event_unknown": 1},
    }


@pytest.mark.parametrize(("settings", "listed"), [({}, 100), ({"ingest_rejections_listed": 3}, 3)])
async def test_an_answer_lists_the_first_rejections_and_counts_all_by_code(
    settings: dict[str, int], listed: int
) -> None:
    body = b"\n".join([b"?", LINE, b"{}"] * 700)
    async with opened(**settings) as api:
        told = (await api.batch(body)).json()
    assert told["accepted"] == 700
    assert told["rejected_by_code"] == {"not_json": 700, "timestamp_missing": 700}
    assert [one["index"] for one in told["rejected"]] == [line for line in range(2100) if line % 3 != 1][:listed]


async def test_a_large_answer_is_handed_over_in_pieces_and_counts_as_memory_until_then() -> None:
    worst = LINE[:-1] + ',"{0}":"{0}"}}'.format("😀" * 64).encode()
    async with opened() as api:
        seen = []

        async def send(message: Message) -> None:
            seen.append((len(message.get("body", b"")), api.count("body_bytes")))

        async def receive() -> Message:
            return {"type": "http.request", "body": b"\n".join([worst] * 100)}

        scope = {"type": "http", "method": "POST", "path": "/v1/actions", "query_string": b"", "headers": []}
        await api.app(scope, receive, send)
        size = sum(piece for piece, _ in seen)
        assert size > 64 * 1024
        assert [held for _, held in seen] == [size] * len(seen)
        assert max(piece for piece, _ in seen) <= 64 * 1024
        assert api.count("body_bytes") == 0


@pytest.mark.parametrize(
    ("body", "status", "rejected"), [(b"[]", 200, 0), (b"?\n", 422, 1), (b"?\n?\n", 422, 2), (b"[7]", 422, 1)]
)
async def test_a_batch_of_which_nothing_is_accepted_is_no_success_and_needs_no_log(
    api: Api, body: bytes, status: int, rejected: int
) -> None:
    api.log.failure = NotPublished("away")
    answer = await api.batch(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (0, rejected)


async def test_a_strict_batch_is_published_whole_or_not_at_all(api: Api) -> None:
    answer = await api.client.post("/v1/actions?strict=true", content=LINE + b"\n?\n" + LINE, headers=NDJSON)
    assert answer.status_code == 422
    assert (answer.json()["accepted"], [one["index"] for one in answer.json()["rejected"]]) == (0, [1])
    assert api.log.published == []
    assert api.count("actions_accepted_total") == 0
    answer = await api.client.post("/v1/actions?strict=true", content=LINE + b"\n" + LINE, headers=NDJSON)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "rejected": []})
    assert api.log.published == [ACTION, ACTION]


async def test_unknown_fields_are_refused_or_dropped_before_publishing_as_the_query_says(api: Api) -> None:
    line = LINE[:-1] + b',"host":"web-1"}'
    (told,) = (await api.batch(line)).json()["rejected"]
    assert (told["code"], told["field"]) == ("unknown_field", "host")
    answer = await api.client.post("/v1/actions?unknown_fields=ignore", content=line, headers=NDJSON)
    assert answer.json() == {"accepted": 1, "rejected": []}
    assert api.log.published == [ACTION]


@pytest.mark.parametrize("query", ["strict=false", "unknown_fields=refuse", "unknown_fields=refuse&strict=false", ""])
async def test_the_defaults_may_be_asked_for(api: Api, query: str) -> None:
    answer = await api.client.post(f"/v1/actions?{query}", content=LINE + b"\n?", headers=NDJSON)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("strict=yes", "parameter_malformed", "strict"),
        ("strict=", "parameter_malformed", "strict"),
        ("unknown_fields=drop", "parameter_malformed", "unknown_fields"),
        ("strict=true&strict=false", "parameter_repeated", "strict"),
        ("stirct=true", "parameter_unknown", "stirct"),
    ],
)
async def test_a_query_that_a_batch_does_not_have_is_refused_and_named(
    api: Api, query: str, code: str, field: str
) -> None:
    answer = await api.client.post(f"/v1/actions?{query}", content=LINE, headers=NDJSON)
    assert problem(answer, 400, code)["field"] == field
    assert api.log.published == []


@pytest.mark.parametrize(
    "content_type", [None, "text/plain;charset=UTF-8", "application/octet-stream", "application/json"]
)
@pytest.mark.parametrize("body", [LINE, b"[" + LINE + b"]", gzip.compress(LINE)])
async def test_a_body_is_taken_for_what_it_is_whatever_its_headers_say(
    api: Api, content_type: str | None, body: bytes
) -> None:
    answer = await api.batch(body, {} if content_type is None else {"Content-Type": content_type})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    assert api.log.published == [ACTION]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (LINE, {"Content-Type": "text/csv"}, 415, "media_type_unsupported"),
        (LINE, {**NDJSON, "Content-Encoding": "br"}, 415, "encoding_unsupported"),
        (b"", NDJSON, 400, "body_empty"),
        (b"[" + LINE, JSON, 400, "array_malformed"),
        (LINE, {**NDJSON, "Content-Encoding": "gzip"}, 400, "gzip_malformed"),
        (gzip.compress(LINE)[:-1], {**NDJSON, "Content-Encoding": "gzip"}, 400, "gzip_cut_off"),
        (b"x" * 1001, NDJSON, 413, "body_too_large"),
        (gzip.compress(b" " * 2001), {**NDJSON, "Content-Encoding": "gzip"}, 413, "body_too_large_decompressed"),
        (b"1\n2\n3\n4", NDJSON, 413, "too_many_lines"),
        (b"[1,2,3,4]", JSON, 413, "too_many_lines"),
    ],
)
async def test_a_body_that_is_refused_as_a_whole_publishes_nothing(
    body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    limits = {"ingest_max_body_bytes": 1000, "ingest_max_decompressed_bytes": 2000, "ingest_max_lines": 3}
    async with opened(**limits) as api:
        problem(await api.batch(body, headers), status, code)
        assert api.log.published == []
        assert api.count("problems_total", code=code) == 1
        assert api.count("body_bytes") == 0


async def test_a_body_without_a_length_is_counted_while_it_streams() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    async with opened(ingest_max_body_bytes=1000) as api:
        answer = await api.client.post("/v1/actions", content=endless(), headers=NDJSON)
        problem(answer, 413, "body_too_large")


async def test_a_wrong_media_type_is_told_the_right_ones_and_a_wrong_encoding_too(api: Api) -> None:
    by_type = await api.batch(LINE, {"Content-Type": "text/csv"})
    assert by_type.headers["accept-post"].startswith("application/json, application/x-ndjson, ")
    by_encoding = await api.batch(LINE, {**NDJSON, "Content-Encoding": "br"})
    assert by_encoding.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("way", ["query", "body"])
@pytest.mark.parametrize(
    ("failure", "code", "outcome", "says"),
    [
        (OutcomeUnknown("timed out"), "outcome_unknown", "unknown", "may or may not be counted"),
        (NotPublished("no memory"), "not_published", "not_published", "nothing was published"),
    ],
)
async def test_while_the_log_is_away_the_answer_is_503_and_says_what_may_have_happened(
    api: Api,
    way: str,
    failure: NotPublished | OutcomeUnknown,
    code: str,
    outcome: str,
    says: str,
) -> None:
    api.log.failure = failure
    answer = await (api.post(**GOOD) if way == "query" else api.batch(LINE))
    told = problem(answer, 503, code)
    assert told["outcome"] == outcome
    assert says in told["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_bodies_that_take_all_the_memory_they_may_are_answered_503() -> None:
    async with opened(
        ingest_max_body_bytes=100, ingest_max_decompressed_bytes=100, ingest_max_in_flight_bytes=100
    ) as api:
        waiting = api.batch(LINE)

        async def body() -> AsyncIterator[bytes]:
            yield b" " * 60
            problem(await waiting, 503, "not_published")
            yield b"[]"

        assert (await api.client.post("/v1/actions", content=body(), headers=NDJSON)).status_code == 200
        assert (await api.batch(LINE)).status_code == 200


async def test_what_the_framework_refuses_is_a_problem_as_well(api: Api) -> None:
    told = problem(await api.client.get("/nowhere"), 404, "not_found")
    assert told.keys() == {"type", "title", "status", "detail", "code"}
    for path in ("/analytics/", "/v1/actions/", "/healthz/", "/openapi.json/"):
        with_slash = await api.client.post(path, params=GOOD)
        assert problem(with_slash, 404, "not_found")["detail"].endswith("no path ends in a slash")
        assert "location" not in with_slash.headers
    answer = await api.client.get("/analytics")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"
    problem(await api.client.delete("/v1/actions"), 405, "method_not_allowed")

    @api.app.get("/framework")
    async def framework(number: int) -> int:
        return number

    problem(await api.client.get("/framework", params={"number": "x"}), 422, "request_invalid")


@pytest.mark.parametrize("path", ["/analytics", "/v1/actions"])
async def test_options_names_the_methods_of_a_path_that_takes_actions(api: Api, path: str) -> None:
    answer = await api.client.options(path)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "OPTIONS, POST", b"")
    problem(await api.client.options("/nowhere"), 404, "not_found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"])
async def test_head_is_answered_wherever_get_is(api: Api, path: str) -> None:
    head, get = await api.client.head(path), await api.client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    # What the process measures of itself is as long as its numbers are.
    passed_over = {"content-length"} if path == "/metrics" else set()
    assert dict(head.headers.items() - get.headers.items()).keys() <= passed_over
    assert head.headers.keys() == get.headers.keys()
    assert (await api.client.options(path)).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_an_error_in_the_program_is_a_problem_that_tells_no_secrets(api: Api) -> None:
    @api.app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret")

    answer = await api.client.get("/broken")
    problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content


async def test_the_process_is_alive_whatever_the_log_does(api: Api) -> None:
    api.log.reason = "Kafka does not answer"
    answer = await api.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_process_is_ready_while_the_log_answers_and_else_says_why(api: Api) -> None:
    answer = await api.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reason": None})
    api.log.reason = "Kafka does not answer"
    answer = await api.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reason": "Kafka does not answer"})


async def test_actions_are_counted_by_what_became_of_them(api: Api) -> None:
    await api.post(**GOOD)
    await api.batch(LINE + b"\n" + LINE + b"\n?\n?\n" + LINE.replace(b"click", b"share"))
    await api.post(**{**GOOD, "event": "share"})
    api.log.failure = OutcomeUnknown("timed out")
    await api.batch(LINE + b"\n" + LINE)
    api.log.failure = NotPublished("no memory")
    await api.post(**GOOD)
    assert api.count("actions_accepted_total") == 3
    assert api.count("actions_rejected_total", code="not_json") == 2
    assert api.count("actions_rejected_total", code="event_unknown") == 2
    assert api.count("actions_outcome_unknown_total") == 2
    assert api.count("actions_not_published_total") == 1
    assert api.count("actions_in_flight") == 0
    assert api.count("publish_seconds_count") == 2


async def test_metrics_are_told_in_prometheus_own_format(api: Api) -> None:
    await api.post(**GOOD)
    answer = await api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "collector_ingest_actions_accepted_total 1.0" in answer.text


async def test_the_log_is_started_with_the_app_and_closed_with_it() -> None:
    async with opened() as api:
        assert api.log.running
    assert not api.log.running


async def test_a_client_that_sends_many_bodies_at_once_takes_no_more_than_its_share() -> None:
    settings = {"ingest_max_body_bytes": 300, "ingest_max_decompressed_bytes": 300, "ingest_max_client_bytes": 400}
    async with opened(**settings) as api:
        held, released = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b" " * 290
            held.set()
            await released.wait()

        first = asyncio.create_task(api.client.post("/v1/actions", content=slow()))
        await held.wait()
        answer = await api.batch(LINE * 3)
        assert (answer.status_code, answer.json()["outcome"]) == (503, "not_published")
        transport = httpx.ASGITransport(api.app, client=("127.0.0.2", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as other:
            assert (await other.post("/v1/actions", content=LINE, headers=NDJSON)).status_code == 200
        released.set()
        assert (await first).status_code == 400
