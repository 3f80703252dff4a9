"""POST /analytics is answered alike on its short way and by the route that OpenAPI describes."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from contract.action import Action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.memory_publisher import MemoryPublisher
from ingest_api.metrics import Metrics
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
GOOD = f"timestamp={NOW}&user=u%201&event=click&id=i"
BAD = ("", "user", "user=%ff", f"timestamp={NOW}&user=u&event=unknown", f"{GOOD}&user=again")
FAILURES: tuple[PublishUnavailable, ...] = (NotPublished("no room"), OutcomeUnknown("no answer"))


class Ways:
    """The same app at its own paths, and under /door, where only the route sees the request."""

    def __init__(self) -> None:
        self.log = MemoryPublisher()
        self.metrics = Metrics()
        app = create_app(IngestSettings(), self.log, self.metrics, clock=lambda: NOW)
        transport = httpx.ASGITransport(app)
        mounted = httpx.ASGITransport(Starlette(routes=[Mount("/door", app)]))
        self.short = httpx.AsyncClient(transport=transport, base_url="http://door")
        self.route = httpx.AsyncClient(transport=mounted, base_url="http://door/door")

    async def answers(self, query: str) -> list[tuple[int, httpx.Headers, bytes]]:
        found = [await client.post(f"/analytics?{query}") for client in (self.short, self.route)]
        return [(answer.status_code, answer.headers, answer.content) for answer in found]


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    both = Ways()
    async with both.short, both.route:
        yield both


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
