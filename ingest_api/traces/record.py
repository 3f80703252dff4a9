"""Records that say to whom they owe their lines: a span of their own, whose context travels in their headers."""

from opentelemetry.trace import SpanContext, SpanKind

from contract.log.position import Position
from ingest_api.errors import NotPublished, PublishUnavailable
from ingest_api.publishing.accumulator import Lines, OutgoingRecord, RecordHeaders
from ingest_api.publishing.publisher import OnDelivered, Outcome
from ingest_api.traces.requests import REQUEST_SPAN
from service.traces.context import headers_of
from service.traces.span import MOST_LINKS, Span, SpanTemplate, Tracer


class RecordSpans:
    """Makes records, and their spans."""

    def __init__(self, tracer: Tracer, topic: str) -> None:
        self._tracer = tracer
        self._template = SpanTemplate(
            f"send {topic}",
            SpanKind.PRODUCER,
            {
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic,
            },
        )

    def record(self, partition: int, partitions: int) -> "TracedRecord":
        """An empty one."""
        return TracedRecord(partition, partitions, self)

    def begin(self, record: OutgoingRecord, requests: list[SpanContext]) -> Span:
        """The span of sending it: a child of the first request's, with links to the others'."""
        first, *others = requests
        span = self._tracer.begin(self._template, first)
        span.attributes = {
            "messaging.destination.partition.id": str(record.partition),
            "messaging.message.body.size": record.size,
            "collector.record.lines": record.lines,
        }
        span.links = others
        return span


class TracedRecord(OutgoingRecord):
    """A record that carries lines of requests, some of which may be recorded."""

    __slots__ = ("_requests", "_span", "_spans")

    def __init__(self, partition: int, partitions: int, spans: RecordSpans) -> None:
        super().__init__(partition, partitions)
        self._spans = spans
        self._requests: list[SpanContext] = []
        self._span: Span | None = None

    def add(self, lines: Lines, on_delivered: OnDelivered) -> None:
        # OutgoingRecord's, inlined: the call alone would double what this costs, and each request is added.
        self._texts.append(lines.text)
        self.lines += lines.number
        self.size += len(lines.text)
        self._waiting.append(on_delivered)
        span = REQUEST_SPAN.get()
        if span is not None and len(self._requests) <= MOST_LINKS:
            self._requests.append(span.context)

    def headers(self) -> RecordHeaders:
        """To be asked for once, when it is sent: its span begins."""
        headers = super().headers()
        if self._requests:
            self._span = self._spans.begin(self, self._requests)
            headers += headers_of(self._span.context)
        return headers

    def settle(self, outcome: Outcome) -> None:
        if self._span is not None:
            self._end(self._span, outcome)
        super().settle(outcome)

    def _end(self, span: Span, outcome: Outcome) -> None:
        if isinstance(outcome, PublishUnavailable):
            span.end("not_published" if isinstance(outcome, NotPublished) else "outcome_unknown")
            return
        if isinstance(outcome, Position):
            span.attributes["messaging.kafka.offset"] = outcome.offsets[self.partition]
        span.end()
