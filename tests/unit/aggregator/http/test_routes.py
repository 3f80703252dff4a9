from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Never

import httpx
import pytest

from contract.errors import StateUnreadable, StoreUnavailable
from contract.hour import HOUR_MS
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click, serving

Client = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


class FailingStore(MemoryStore):
    """A store that answers every question with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def read_progress(self, *_: object) -> Never:
        raise self._error

    async def ping(self) -> None:
        raise self._error


async def busy_world() -> AggregatorFixture:
    """Two users, three clicks and an impression, and a view; all counted, the hour over."""
    fixture = AggregatorFixture(partitions=2)
    fixture.append(
        0, click("a"), click("a"), click("a", event="view", action_id="1"), click("a", event="view", action_id="1")
    )
    fixture.append(1, click("b"), click("b", event="impression"))
    await fixture.count(0)
    await fixture.count(1)
    fixture.now = HOUR + HOUR_MS + 6_789
    return fixture


async def test_the_classic_answer_is_three_lines_of_text() -> None:
    async with serving(await busy_world()) as client:
        answer = await client.get("/analytics", params={"timestamp": HOUR + 123})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content == b"unique_users,2\nclicks,3\nimpressions,1\n"


async def test_the_classic_answer_tells_in_headers_how_complete_it_is() -> None:
    async with serving(await busy_world()) as client:
        headers = (await client.get("/analytics", params={"timestamp": HOUR})).headers

    assert headers["collector-complete-through"] == "2026-11-24T10:00:06.789Z"
    assert headers["collector-lag"] == "0"
    assert headers["collector-final"] == "true"
    assert headers["cache-control"] == "no-store"


async def test_an_hour_without_actions_has_zeros() -> None:
    async with serving(await busy_world()) as client:
        answer = await client.get("/analytics", params={"timestamp": HOUR - 1})

    assert answer.text == "unique_users,0\nclicks,0\nimpressions,0\n"


@pytest.mark.parametrize("timestamp", ["0", "1795510800000", "4102444799999"])
async def test_plain_decimal_timestamps_from_1970_to_2099_are_taken(timestamp: str) -> None:
    async with serving(AggregatorFixture()) as client:
        assert (await client.get(f"/analytics?timestamp={timestamp}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "timestamp_missing"),
        ("Timestamp=1", "timestamp_missing"),
        ("timestamp=1&timestamp=1", "parameter_repeated"),
        ("timestamp=", "timestamp_not_integer"),
        ("timestamp=1e3", "timestamp_not_integer"),
        ("timestamp=1.0", "timestamp_not_integer"),
        ("timestamp=%201", "timestamp_not_integer"),
        ("timestamp=1%0A", "timestamp_not_integer"),
        ("timestamp=%2B1", "timestamp_not_integer"),
        ("timestamp=+1", "timestamp_not_integer"),
        ("timestamp=1_000", "timestamp_not_integer"),
        ("timestamp=0x10", "timestamp_not_integer"),
        ("timestamp=%D9%A1", "timestamp_not_integer"),
        ("timestamp=007", "timestamp_not_integer"),
        ("timestamp=true", "timestamp_not_integer"),
        ("timestamp=--1", "timestamp_not_integer"),
        ("timestamp=-1", "timestamp_negative"),
        ("timestamp=4102444800000", "timestamp_after_2099"),
        (f"timestamp={'9' * 5_000}", "timestamp_after_2099"),
    ],
)
async def test_any_other_timestamp_is_a_problem_that_names_the_rule(query: str, code: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(f"/analytics?{query}")

    problem = answer.json()
    assert answer.status_code == problem["status"] == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["title"]) == ("about:blank", "Bad Request")
    assert (problem["code"], problem["field"]) == (code, "timestamp")
    assert problem["rule"]
    assert problem["rule"] in problem["detail"]
    assert len(problem.get("value", "")) <= 70
    assert ("value" in problem) == (code != "timestamp_missing")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("query", "field"),
    [("user=u1&event=click", "user"), ("event=click", "event"), ("id=7", "id"), ("id=7&user&event", "user")],
)
async def test_an_action_sent_with_get_is_refused_also_while_an_answer_is_in_memory(
    method: str, query: str, field: str
) -> None:
    async with serving(await busy_world()) as client:
        await client.get("/analytics", params={"timestamp": HOUR})
        answer = await client.request(method, f"/analytics?timestamp={HOUR}&{query}")
        alone = await client.get(f"/analytics?{query}")

    assert answer.status_code == 400
    assert (alone.json()["code"], alone.json()["field"]) == ("parameter_of_post", field)
    assert "POST" in alone.json()["detail"]
    assert "GET /v1/pixel.gif" in alone.json()["detail"]


@pytest.mark.parametrize("other", ["_=1764000000000", "&", "x=1&x=2", "User=u1"])
async def test_other_parameters_are_passed_over(other: str) -> None:
    async with serving(await busy_world()) as client:
        answer = await client.get(f"/analytics?timestamp={HOUR}&{other}")

    assert answer.text == "unique_users,2\nclicks,3\nimpressions,1\n"


@pytest.mark.parametrize(
    "hour",
    ["2026-11-24T09", "2026-11-24T09:00:00Z", "2026-11-24T09:59:59.999", "2026-11-24T11:30+02:00", "2026-11-24T09Z"],
)
async def test_an_hour_in_json_holds_all_that_is_known(hour: str) -> None:
    async with serving(await busy_world()) as client:
        answer = await client.get(f"/v1/hours/{hour}")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "hour": "2026-11-24T09:00:00Z",
        "clicks": 3,
        "impressions": 1,
        "counts": {"click": 3, "impression": 1, "view": 1},
        "unique_users": 2,
        "duplicates": 1,
        "complete_through": "2026-11-24T10:00:06.789Z",
        "lag": 0,
        "lost": 0,
        "final": True,
    }


@pytest.mark.parametrize("hour", ["2026-11-24", "09", "2026-11-24T25", "1969-12-31T23", "2100-01-01T00", "x" * 999])
async def test_what_names_no_hour_is_a_problem(hour: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(f"/v1/hours/{hour}")

    problem = answer.json()
    assert answer.status_code == 400
    assert (problem["code"], problem["field"]) == ("hour_malformed", "hour")
    assert len(problem["value"]) <= 70


@pytest.mark.parametrize("path", [f"/analytics?timestamp={HOUR}", "/v1/hours/2026-11-24T09"])
async def test_an_hour_is_answered_from_memory_unless_the_request_says_no_cache(path: str) -> None:
    fixture = await busy_world()
    async with serving(fixture) as client:
        first = await client.get(path)
        fixture.append(0, click("c"))
        await fixture.count(0)
        again = await client.get(path)
        fresh = await client.get(path, headers={"Cache-Control": "max-age=0, No-Cache"})

    assert again.content == first.content
    assert again.headers["collector-complete-through"] == first.headers["collector-complete-through"]
    assert fresh.content != first.content


async def test_an_answer_from_memory_is_the_same_as_one_that_was_read_and_is_counted_so() -> None:
    async with serving(await busy_world()) as client:
        read, *from_memory = [await client.get("/analytics", params={"timestamp": HOUR}) for _ in range(3)]
        metrics = (await client.get("/metrics")).text

    assert [answer.content for answer in from_memory] == [read.content] * 2
    assert [answer.headers for answer in from_memory] == [read.headers] * 2
    assert 'collector_aggregator_requests_total{route="/analytics",status="200"} 3.0' in metrics


async def test_what_is_wrong_is_told_while_an_answer_is_in_memory() -> None:
    async with serving(await busy_world()) as client:
        await client.get("/analytics", params={"timestamp": HOUR})
        twice = await client.get(f"/analytics?timestamp={HOUR}&timestamp={HOUR}")
        posted = await client.post("/analytics", params={"timestamp": HOUR})

    assert (twice.status_code, twice.json()["code"]) == (400, "parameter_repeated")
    assert posted.status_code == 405


async def test_with_kafka_away_numbers_come_without_promises() -> None:
    fixture = await busy_world()
    fixture.end_offsets.unavailable_reason = "connection refused"
    async with serving(fixture) as client:
        classic = await client.get("/analytics", params={"timestamp": HOUR})
        json = (await client.get("/v1/hours/2026-11-24T09")).json()

    assert classic.text == "unique_users,2\nclicks,3\nimpressions,1\n"
    assert classic.headers["collector-final"] == "false"
    assert "collector-complete-through" not in classic.headers
    assert "collector-lag" not in classic.headers
    assert (json["clicks"], json["complete_through"], json["lag"], json["final"]) == (3, None, None, False)


@pytest.mark.parametrize("path", [f"/analytics?timestamp={HOUR}", "/v1/hours/2026-11-24T09"])
async def test_with_the_store_away_the_answer_is_to_try_again(path: str) -> None:
    store = FailingStore(StoreUnavailable("http://influx.internal:8086 refused", "connect"))
    async with serving(AggregatorFixture(), store) as client:
        answer = await client.get(path)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "store_unavailable"
    assert "influx.internal" not in answer.text


async def test_a_state_that_cannot_be_read_is_an_error_and_never_zeros() -> None:
    async with serving(AggregatorFixture(), FailingStore(StateUnreadable("state version 9"))) as client:
        answer = await client.get("/v1/hours/2026-11-24T09")

    assert (answer.status_code, answer.json()["code"]) == (500, "state_unreadable")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/hours/", 404, "not_found"),
        ("POST", "/analytics", 405, "method_not_allowed"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(method: str, path: str, status: int, code: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "path",
    ["/analytics/", "/v1/hours/2026-11-24T09/", "/v1/ledger/", "/healthz/", "/readyz/", "/openapi.json/", "/docs/"],
)
async def test_a_path_with_a_slash_at_its_end_is_not_found_and_never_redirected(path: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(path, params={"timestamp": HOUR})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "location" not in answer.headers
    assert answer.json()["detail"].endswith("no path ends in a slash")


async def test_a_refused_method_names_the_allowed_ones() -> None:
    async with serving(AggregatorFixture()) as client:
        assert (await client.post("/analytics")).headers["allow"] == "GET, HEAD, OPTIONS"


PATHS = [
    f"/analytics?timestamp={HOUR}",
    "/v1/hours/2026-11-24T09",
    "/v1/ledger",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
]


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_answers_head_as_get_without_the_body_and_options_with_its_methods(path: str) -> None:
    async with serving(await busy_world()) as client:
        head = await client.head(path)
        get = await client.get(path)
        options = await client.options(path)

    assert (head.status_code, get.status_code) == (200, 200)
    varying = {"content-length"} if path == "/metrics" else set()
    assert {*head.headers.items()} ^ {*get.headers.items()} <= {
        (name, answer.headers[name]) for name in varying for answer in (head, get)
    }
    assert (head.content, bool(get.content)) == (b"", True)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_head_is_measured_as_the_route_that_it_asks_for() -> None:
    async with serving(await busy_world()) as client:
        await client.head(f"/analytics?timestamp={HOUR}")
        metrics = (await client.get("/metrics")).text

    assert 'collector_aggregator_requests_total{route="/analytics",status="200"} 1.0' in metrics


async def test_an_error_of_ours_is_a_problem_that_tells_no_secrets() -> None:
    async with serving(AggregatorFixture(), FailingStore(RuntimeError("secret"))) as client:
        answer = await client.get("/v1/hours/2026-11-24T09")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


async def test_a_reader_with_its_store_is_alive_and_ready() -> None:
    async with serving(AggregatorFixture()) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert ready.json() == {"ready": True, "reason": None, "kafka": "ok"}


async def test_kafka_away_is_told_but_leaves_the_reader_ready() -> None:
    fixture = AggregatorFixture()
    fixture.end_offsets.unavailable_reason = "connection refused"
    async with serving(fixture) as client:
        ready = await client.get("/readyz")

    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "reason": None, "kafka": "connection refused"}


async def test_the_store_away_makes_the_reader_unready_but_leaves_it_alive() -> None:
    async with serving(AggregatorFixture(), FailingStore(StoreUnavailable("refused", "connect"))) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["reason"] == "the store: refused"


async def test_metrics_count_requests_by_route_and_looks_and_store_errors() -> None:
    async with serving(AggregatorFixture(), FailingStore(StoreUnavailable("refused", "connect"))) as client:
        await client.get("/v1/hours/2026-11-24T09")
        await client.get("/v1/hours/2026-11-24T10")
        await client.get("/some/path")
        metrics = (await client.get("/metrics")).text

    assert 'collector_aggregator_requests_total{route="/v1/hours/{hour}",status="503"} 2.0' in metrics
    assert 'collector_aggregator_requests_total{route="unknown",status="404"} 1.0' in metrics
    assert 'collector_aggregator_request_seconds_count{route="/v1/hours/{hour}"} 2.0' in metrics
    assert 'collector_aggregator_store_errors_total{reason="connect"} 2.0' in metrics
    assert 'collector_aggregator_log_end_looks_total{outcome="taken"} 1.0' in metrics
    # The page of metrics itself looks twice: is it ready, and how far is the log counted?
    assert 'collector_aggregator_log_end_looks_total{outcome="shared"} 3.0' in metrics


async def test_shutting_down_closes_the_store() -> None:
    closed = []

    class ClosingStore(MemoryStore):
        async def close(self) -> None:
            closed.append(self)

    store = ClosingStore()
    async with serving(AggregatorFixture(), store):
        assert not closed

    assert closed == [store]
