"""Spans in OpenTelemetry's protocol, OTLP."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from service.traces.span import Span, SpanTemplate

_ANY: Final = SpanContext(1, 1, is_remote=False)
_NO_RESOURCE: Final = Resource({})
_LOCAL: Final = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE: Final = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


class SpanEncoder:
    """Encodes one process's spans.

    OpenTelemetry's own encoder makes what spans have in common, once for each template. Made for each span, it is nine
    tenths of the work.
    """

    def __init__(self, resource: Resource, scope: InstrumentationScope) -> None:
        request = encode_spans([ReadableSpan("", _ANY, resource=resource, instrumentation_scope=scope)])
        del request.resource_spans[0].scope_spans[0].spans[:]
        self._empty = request

    def encode(self, spans: Sequence[Span]) -> bytes:
        """An ExportTraceServiceRequest."""
        request = ExportTraceServiceRequest()
        request.CopyFrom(self._empty)
        add = request.resource_spans[0].scope_spans[0].spans.add
        for span in spans:
            _write(span, add())
        encoded: bytes = request.SerializeToString()
        return encoded


def _write(span: Span, message: SpanMessage) -> None:
    message.MergeFromString(_in_common(span.template))
    context, parent = span.context, span.parent
    message.trace_id = context.trace_id.to_bytes(16)
    message.span_id = context.span_id.to_bytes(8)
    if context.trace_state:
        message.trace_state = context.trace_state.to_header()
    if parent is not None:
        message.parent_span_id = parent.span_id.to_bytes(8)
        message.flags = _REMOTE if parent.is_remote else _LOCAL
    message.start_time_unix_nano = span.began
    message.end_time_unix_nano = span.ended
    for name, value in span.attributes.items():
        attribute = message.attributes.add()
        attribute.key = name
        if isinstance(value, str):
            attribute.value.string_value = value
        else:
            attribute.value.int_value = value
    for link in span.links:
        message.links.add(
            trace_id=link.trace_id.to_bytes(16),
            span_id=link.span_id.to_bytes(8),
            flags=_REMOTE if link.is_remote else _LOCAL,
        )
    if span.error is not None:
        message.status.code = Status.STATUS_CODE_ERROR


@cache
def _in_common(template: SpanTemplate) -> bytes:
    span = ReadableSpan(template.name, _ANY, attributes=template.attributes, kind=template.kind, resource=_NO_RESOURCE)
    message = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
    for field in ("trace_id", "span_id"):
        message.ClearField(field)
    encoded: bytes = message.SerializeToString()
    return encoded
