"""With traces on, requests are answered as without, on each way through the process; some leave a span."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Self

import httpx
import pytest
from fastapi import Response
from uvicorn import Config
from uvicorn.server import ServerState

from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished
from ingest_api.http.server.fast_path_protocol import FastPathProtocol
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.publishing.publisher import OnDelivered
from ingest_api.settings import IngestSettings
from ingest_api.traces.answering import Answer, traced_submit
from ingest_api.traces.requests import REQUEST_SPAN, RequestTraces
from ingest_api.traces.wiring import IngestTraces
from service.keys.presented import Headers
from service.traces.sampling import Sampling
from support.fixtures.http_connection import Transport
from support.fixtures.traces import CALLER, TRACE, SpansInMemory, traceparent

NOW = 1_800_000_000_000
QUERY = f"timestamp={NOW}&user=u&event=click"
LINE = encode_action(Action(NOW, "u", "click"))
SAMPLED = {"traceparent": traceparent().decode()}
NOT_SAMPLED = {"traceparent": traceparent(sampled=False).decode()}


class Traced:
    """The app with traces that follow their callers, and record no others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        self.spans = SpansInMemory()
        self.log = MemoryPublisher()
        settings = IngestSettings()
        traces = IngestTraces.of(settings, self.spans.process)
        self.app = create_app(settings, self.log, clock=lambda: NOW, traces=traces)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://api")

    async def __aenter__(self) -> Self:
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._state = await self._lifespan.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._lifespan.__aexit__(None, None, None)
        await self.client.aclose()

    def single(self, headers: dict[str, str]) -> bytes:
        """What the server's protocol writes for a plain POST."""
        config = Config(self.app, log_config=None, access_log=False, proxy_headers=False, server_header=False)
        server = ServerState()
        protocol = FastPathProtocol(config, server, dict(self._state or {}), asyncio.get_running_loop())
        transport = Transport()
        protocol.connection_made(transport)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        protocol.data_received(f"POST /analytics?{QUERY} HTTP/1.1\r\nhost: api\r\n{lines}\r\n".encode())
        assert not server.tasks
        return transport.written


@pytest.fixture
async def traced(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Traced]:
    async with Traced(monkeypatch) as traced:
        yield traced


async def test_a_plain_single_post_of_a_recorded_caller_leaves_a_span_and_is_answered_as_any(traced: Traced) -> None:
    answers = [traced.single(headers) for headers in ({}, NOT_SAMPLED, SAMPLED)]

    assert len(set(answers)) == 1
    assert answers[0].startswith(b"HTTP/1.1 204 ")
    assert len(traced.log.published) == 3
    (span,) = traced.spans.ended
    assert (span.name, span.parent) == ("POST /analytics", (TRACE, CALLER))
    assert span.attributes["http.response.status_code"] == 204


async def test_a_batch_of_a_recorded_caller_leaves_a_span_and_is_answered_as_any(traced: Traced) -> None:
    answers = [
        await traced.client.post(
            "/v1/actions", content=LINE, headers={"content-type": "application/x-ndjson"} | headers
        )
        for headers in ({}, NOT_SAMPLED, SAMPLED)
    ]

    assert [(one.status_code, one.content) for one in answers] == [(200, answers[0].content)] * 3
    (span,) = traced.spans.ended
    assert (span.name, span.parent) == ("POST /v1/actions", (TRACE, CALLER))


async def test_what_is_refused_and_what_fails_leaves_a_span_with_its_status(traced: Traced) -> None:
    await traced.client.post("/analytics?user", headers=SAMPLED)
    traced.log.failure = NotPublished("no room")
    await traced.client.post(f"/analytics?{QUERY}", headers=SAMPLED)
    traced.single(SAMPLED)

    told = [(one.attributes["http.response.status_code"], one.error) for one in traced.spans.ended]
    assert told == [(400, None), (503, "503"), (503, "503")]


async def test_an_error_in_this_program_leaves_a_span(traced: Traced) -> None:
    traced.log.failure = ValueError("an error in this program")  # type: ignore[assignment] # on purpose
    answer = await traced.client.post(f"/analytics?{QUERY}", headers=SAMPLED)
    (span,) = traced.spans.ended
    assert (answer.status_code, span.error) == (500, "500")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/v1/actions"), ("POST", "/none")]
)
async def test_requests_that_send_no_actions_leave_none(traced: Traced, method: str, path: str) -> None:
    await traced.client.request(method, path, headers=SAMPLED)
    assert not traced.spans.ended


async def test_the_last_spans_are_waited_for_once_all_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Traced(monkeypatch) as traced:
        assert not traced.spans.closed
    assert traced.spans.closed
    assert not traced.log.running


async def test_a_request_that_is_not_recorded_is_of_no_span_that_was_set_before(traced: Traced) -> None:
    seen: list[bool] = []
    take = traced.log.submit

    def submit(actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        seen.append(REQUEST_SPAN.get() is not None)
        take(actions, on_delivered)

    traced.log.submit = submit  # type: ignore[method-assign] # the log as it is, watched
    for headers in (SAMPLED, NOT_SAMPLED, {}, SAMPLED):
        traced.single(headers)
        await traced.client.post(f"/analytics?{QUERY}", headers=headers)

    assert seen == [True, True, False, False, False, False, True, True]


@pytest.mark.parametrize(("draw", "recorded"), [(0.4, 1), (0.5, 0), (0.6, 0)])
def test_of_plain_single_posts_without_a_caller_s_trace_a_share_is_recorded(draw: float, recorded: int) -> None:
    spans, submitted = SpansInMemory(), list[bool]()
    traces = RequestTraces(spans.process.tracer, Sampling(follows_parent=True, ratio=0.5), lambda: draw)

    def submit(_query: bytes, _headers: Headers, answer: Answer) -> None:
        submitted.append(REQUEST_SPAN.get() is not None)
        answer(Response(status_code=204))

    answers: list[Response] = []
    traced_submit(submit, traces)(QUERY.encode(), [(b"host", b"api")], answers.append)
    assert [one.status_code for one in answers] == [204]
    assert submitted == [bool(recorded)]
    assert [span.name for span in spans.ended] == ["POST /analytics"] * recorded
