from itertools import cycle

import pytest
from opentelemetry.trace import SpanKind

from ingest_api.traces.requests import RequestTraces, end_answered
from service.traces.sampling import Sampling
from support.fixtures.traces import CALLER, TRACE, SpansInMemory, traceparent

HALF = Sampling(follows_parent=True, ratio=0.5)
USUAL = [(b"host", b"api"), (b"content-length", b"0")]


def traces_of(spans: SpansInMemory, sampling: Sampling = HALF, *draws: float) -> RequestTraces:
    return RequestTraces(spans.process.tracer, sampling, cycle(draws or (0.9,)).__next__)


def test_of_requests_without_a_caller_s_trace_a_share_is_recorded() -> None:
    traces = traces_of(SpansInMemory(), HALF, 0.4, 0.6, 0.5, 0.0)
    begun = [traces.begin(USUAL, "POST", "/analytics") is not None for _ in range(4)]
    assert begun == [True, False, False, True]


def test_a_recorded_caller_s_trace_goes_on_whatever_is_drawn() -> None:
    spans = SpansInMemory()
    span = traces_of(spans).begin(
        [*USUAL, (b"traceparent", traceparent()), (b"tracestate", b"vendor=1")], "POST", "/v1/actions"
    )
    assert span is not None
    end_answered(span, 200)

    ended = spans.one("POST /v1/actions")
    assert (ended.context.trace_id, ended.parent) == (TRACE, (TRACE, CALLER))
    assert ended.kind is SpanKind.SERVER
    assert dict(ended.context.trace_state) == {"vendor": "1"}
    assert ended.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/actions",
        "url.path": "/v1/actions",
        "url.scheme": "http",
        "http.response.status_code": 200,
    }


def test_what_a_caller_does_not_record_is_not_recorded_here() -> None:
    headers = [*USUAL, (b"traceparent", traceparent(sampled=False))]
    assert traces_of(SpansInMemory(), HALF, 0.0).begin(headers, "POST", "/analytics") is None


def test_where_callers_do_not_decide_the_trace_s_id_does() -> None:
    headers = [(b"traceparent", traceparent(sampled=False))]
    everything = Sampling(follows_parent=False, ratio=1)
    spans = SpansInMemory()
    span = traces_of(spans, everything).begin(headers, "POST", "/analytics")
    assert span is not None
    assert span.context.trace_id == TRACE


@pytest.mark.parametrize("sent", [[b"\xff" * 55], [b"0" * 100_000], [traceparent(), traceparent()], [b""]])
def test_a_malformed_traceparent_is_as_none(sent: list[bytes]) -> None:
    headers = [*USUAL, *((b"traceparent", value) for value in sent)]
    spans = SpansInMemory()
    drawn, not_drawn = (traces_of(spans, HALF, draw).begin(headers, "POST", "/analytics") for draw in (0.1, 0.9))
    assert not_drawn is None
    assert drawn is not None
    drawn.end()
    assert spans.one("POST /analytics").parent is None


@pytest.mark.parametrize(("status", "fails"), [(204, False), (400, False), (429, False), (503, True)])
def test_an_answer_of_the_servers_own_trouble_is_an_error(status: int, *, fails: bool) -> None:
    spans = SpansInMemory()
    span = traces_of(spans, HALF, 0.0).begin(USUAL, "POST", "/analytics")
    assert span is not None
    end_answered(span, status)

    ended = spans.one("POST /analytics")
    assert ended.attributes["http.response.status_code"] == status
    assert ended.error == (str(status) if fails else None)
