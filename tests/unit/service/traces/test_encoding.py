"""What is sent of our spans is what OpenTelemetry's own SDK would send."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from service.traces.encoding import SpanEncoder
from service.traces.span import Span, SpanTemplate, Tracer

RESOURCE = Resource({"service.name": "api", "service.version": "1"})
SCOPE = InstrumentationScope("collector", "1")
REMOTE = SpanContext(0x1234, 0x56, True, TraceFlags(1), TraceState([("vendor", "1"), ("other", "2")]))  # noqa: FBT003
LOCAL = SpanContext(0x77, 0x88, False, TraceFlags(3))  # noqa: FBT003
SERVER = SpanTemplate("POST /analytics", SpanKind.SERVER, {"http.route": "/analytics", "http.request.method": "POST"})
STEP = SpanTemplate("store actions")


@pytest.fixture
def ended() -> list[Span]:
    """A span of each kind that there is."""
    spans: list[Span] = []
    tracer = Tracer(spans.append)
    tracer.begin(SERVER).end()
    told = tracer.begin(SERVER, REMOTE)
    told.attributes.update({"http.response.status_code": 503, "größe": "ÿ\x00", "": -1})
    told.links = [LOCAL, REMOTE]
    told.end("503")
    tracer.begin(STEP, LOCAL, began=1_800_000_000_000_000_000).end(ended=1_800_000_000_000_000_001)
    tracer.begin(SERVER, LOCAL).end("not_published")
    return spans


def of_the_sdk(span: Span) -> ReadableSpan:
    return ReadableSpan(
        span.template.name,
        span.context,
        span.parent,
        RESOURCE,
        {**span.template.attributes, **span.attributes},
        links=[Link(link) for link in span.links],
        kind=span.template.kind,
        status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
        start_time=span.began,
        end_time=span.ended,
        instrumentation_scope=SCOPE,
    )


def test_each_span_is_sent_as_the_sdk_s(ended: list[Span]) -> None:
    encoder = SpanEncoder(RESOURCE, SCOPE)
    for spans in (ended, ended[1:], ended[:1]):
        sent = ExportTraceServiceRequest.FromString(encoder.encode(spans))
        assert sent == encode_spans([of_the_sdk(span) for span in spans])


def test_what_failed_says_why(ended: list[Span]) -> None:
    assert [span.attributes.get("error.type") for span in ended] == [None, "503", None, "not_published"]
