"""Actions are answered alike on their short ways and by the routes that OpenAPI describes."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
GOOD = f"timestamp={NOW}&user=u%201&event=click&id=i"
BAD = ("", "user", "user=%ff", f"timestamp={NOW}&user=u&event=unknown", f"{GOOD}&user=again")
FAILURES: tuple[PublishUnavailable, ...] = (NotPublished("no room"), OutcomeUnknown("no answer"))

LINE = encode_action(Action(NOW, "u", "click"))
Answer = tuple[int, httpx.Headers, bytes]


class Ways:
    """The same app at its own paths, and under /api, where only the route sees the request."""

    def __init__(self) -> None:
        self.log = MemoryPublisher()
        self.metrics = Metrics()
        self.layers = 0
        app = create_app(IngestSettings(), self.log, self.metrics, clock=lambda: NOW)

        @app.middleware("http")
        async def count(request: Request, answer: RequestResponseEndpoint) -> Response:
            self.layers += 1
            return await answer(request)

        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        mounted = httpx.ASGITransport(Starlette(routes=[Mount("/api", app)]), raise_app_exceptions=False)
        self.short = httpx.AsyncClient(transport=transport, base_url="http://api")
        self.route = httpx.AsyncClient(transport=mounted, base_url="http://api/api")

    async def answers(self, query: str) -> list[Answer]:
        return [_answer(await client.post(f"/analytics?{query}")) for client in (self.short, self.route)]

    async def batch_answers(self, body: bytes, content_type: str = "application/x-ndjson") -> list[Answer]:
        headers = {"Content-Type": content_type}
        return [
            _answer(await client.post("/v1/actions", content=body, headers=headers))
            for client in (self.short, self.route)
        ]


def _answer(response: httpx.Response) -> Answer:
    return response.status_code, response.headers, response.content


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    both = Ways()
    async with both.short, both.route:
        yield both


async def test_a_short_way_goes_past_the_framework_s_layers(ways: Ways) -> None:
    await ways.answers(GOOD)
    await ways.batch_answers(LINE)
    assert ways.layers == 2


async def test_an_action_is_taken_alike_on_both_ways(ways: Ways) -> None:
    short, route = await ways.answers(GOOD)
    assert short == route
    assert short[0] == 204
    assert ways.log.published == [Action(NOW, "u 1", "click", "i")] * 2


@pytest.mark.parametrize("query", BAD)
async def test_a_bad_query_is_refused_and_counted_alike_on_both_ways(ways: Ways, query: str) -> None:
    short, route = await ways.answers(query)
    assert short == route
    assert short[0] == 400
    assert ways.log.published == []
    problems = [sample for metric in ways.metrics.problems.collect() for sample in metric.samples]
    assert [sample.value for sample in problems if sample.name.endswith("_total")] == [2]


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_is_told_alike_on_both_ways(ways: Ways, failure: PublishUnavailable) -> None:
    ways.log.failure = failure
    short, route = await ways.answers(GOOD)
    assert short == route
    assert short[0] == 503
    assert short[1]["retry-after"]


async def test_a_batch_is_taken_alike_on_both_ways(ways: Ways) -> None:
    short, route = await ways.batch_answers(LINE + b"\n?\n" + LINE)
    assert short == route
    assert short[0] == 200
    assert short[2].startswith(b'{"accepted":2,"rejected":[{"index":1,"code":"not_json"')
    assert len(ways.log.published) == 4


@pytest.mark.parametrize("content_type", ["application/json", "text/csv"])
async def test_a_batch_is_refused_alike_on_both_ways(ways: Ways, content_type: str) -> None:
    short, route = await ways.batch_answers(b"{}", content_type)
    assert short == route
    assert short[0] in (415, 422)


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_batch_s_failure_is_told_alike_on_both_ways(ways: Ways, failure: PublishUnavailable) -> None:
    ways.log.failure = failure
    short, route = await ways.batch_answers(LINE)
    assert short == route
    assert short[0] == 503


async def test_an_error_in_the_program_is_told_alike_on_both_ways_and_tells_no_secrets(ways: Ways) -> None:
    ways.log.published = None  # type: ignore[assignment] # so that publishing fails in a way nobody thought of
    for short, route in (await ways.answers(GOOD), await ways.batch_answers(LINE)):
        assert short == route
        assert (short[0], b"internal_error" in short[2], b"NoneType" in short[2]) == (500, True, False)


async def test_other_methods_are_refused_by_the_framework_on_both_ways(ways: Ways) -> None:
    short, route = [await client.get("/analytics") for client in (ways.short, ways.route)]
    assert (short.status_code, short.headers["allow"]) == (route.status_code, route.headers["allow"])
    assert (short.status_code, short.headers["allow"]) == (405, "OPTIONS, POST")
