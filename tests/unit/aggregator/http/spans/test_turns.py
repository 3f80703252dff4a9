import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import Request, Response

from aggregator.http.spans.turns import SpanTurns
from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from contract.errors import StoreUnavailable
from contract.log.progress import LogPartition, Progress
from stores.memory import MemoryStore
from support.fixtures.aggregator import AggregatorFixture, serving
from support.fixtures.ingest import until
from support.fixtures.keys import bearer, key_of, write_keys

SPANS = ("/v1/hours", "/v1/totals", "/v1/days")
SPAN = "/v1/totals"
ADMIN = bearer("uac_admin")


class HeldStore(MemoryStore):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        self.asked += 1
        await self.may_answer.wait()
        return dict(await super().read_progress(source))


@asynccontextmanager
async def held(
    urls: Sequence[str], store: HeldStore, client: httpx.AsyncClient, **headers: str
) -> AsyncIterator[list[httpx.Response]]:
    """Within, these are asked for and not answered; their answers are in the list afterwards."""
    asking = [asyncio.create_task(client.get(url, headers=headers)) for url in urls]
    answers: list[httpx.Response] = []
    try:
        # Whoever asks once the first of them reads comes behind all of them.
        await until(lambda: store.asked > 0)
        yield answers
    finally:
        store.may_answer.set()
        answers += await asyncio.gather(*asking)


async def metric(client: httpx.AsyncClient, name: str, **headers: str) -> str:
    exposition = (await client.get("/metrics", headers=headers)).text
    return next(line.rpartition(" ")[2] for line in exposition.splitlines() if line.startswith(f"{name} "))


@pytest.mark.parametrize("url", SPANS)
async def test_more_spans_than_may_be_read_at_a_time_are_answered_503_and_counted(url: str) -> None:
    store = HeldStore()
    async with serving(AggregatorFixture(), store, aggregator_spans=3, aggregator_client_spans=3) as client:
        async with held(SPANS, store, client) as answers:
            refused = await client.get(url)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_spans")
            assert refused.headers["retry-after"] == "1"
            assert "3 spans at a time" in refused.json()["detail"]
            assert await metric(client, 'collector_aggregator_spans_refused_total{limit="all"}') == "1.0"
        assert [answer.status_code for answer in answers] == [200] * 3
        assert (await client.get(url)).status_code == 200


async def test_a_key_has_its_share_and_others_have_theirs(tmp_path: Path) -> None:
    keys = write_keys(
        tmp_path / "keys", [key_of("uac_one", "read"), key_of("uac_other", "read"), key_of("uac_admin", "admin")]
    )
    store = HeldStore()
    async with (
        serving(AggregatorFixture(), store, keys, aggregator_spans=3, aggregator_client_spans=2) as client,
        held([SPAN] * 2, store, client, **bearer("uac_one")),
    ):
        refused = await client.get(SPAN, headers=bearer("uac_one"))
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_spans")
        assert "2 spans at a time" in refused.json()["detail"]
        async with held([SPAN], store, client, **bearer("uac_other")) as answers:
            assert await metric(client, 'collector_aggregator_spans_refused_total{limit="of_one"}', **ADMIN) == "1.0"
        assert [answer.status_code for answer in answers] == [200]


async def test_without_keys_an_address_is_a_client() -> None:
    store = HeldStore()
    async with serving(AggregatorFixture(), store, aggregator_spans=3, aggregator_client_spans=1) as client:
        transport = client._transport  # noqa: SLF001 - there is no public way to come from elsewhere
        assert isinstance(transport, httpx.ASGITransport)
        elsewhere = httpx.ASGITransport(transport.app, client=("203.0.113.9", 1))
        async with (
            httpx.AsyncClient(transport=elsewhere, base_url="http://test") as other,
            held([SPAN], store, client),
        ):
            assert (await client.get(SPAN)).status_code == 503
            async with held([SPAN], store, other) as answers:
                pass
            assert [answer.status_code for answer in answers] == [200]


@pytest.mark.parametrize("url", SPANS)
async def test_a_span_whose_client_has_left_is_given_up(url: str) -> None:
    store = HeldStore()
    async with serving(AggregatorFixture(), store, aggregator_spans=1, aggregator_client_spans=1) as client:
        transport = client._transport  # noqa: SLF001 - as above
        assert isinstance(transport, httpx.ASGITransport)
        leaves = asyncio.Event()
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, object]:
            for message in messages:
                return message
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            pass

        scope = {
            "type": "http",
            "method": "GET",
            "path": url,
            "query_string": b"",
            "headers": [(b"host", b"test")],
            "client": ("127.0.0.1", 1),
        }
        asking = asyncio.create_task(transport.app(scope, receive, send))  # type: ignore[arg-type] # plain dictionaries
        await until(lambda: store.asked > 0)
        assert (await client.get(SPAN)).status_code == 503
        leaves.set()
        await asking
        assert await metric(client, "collector_aggregator_spans_given_up_total") == "1.0"
        store.may_answer.set()
        assert (await client.get(SPAN)).status_code == 200


async def test_what_fails_while_it_is_given_up_leaves_no_traceback() -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def work() -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            raise StoreUnavailable("away", reason="timeout")

    scope = {"type": "http", "headers": [], "client": ("127.0.0.1", 1)}
    answer = await SpanTurns(AggregatorSettings(), Metrics()).answer(Request(scope, receive), work)
    gc.collect()

    assert (answer.status_code, told) == (499, [])
