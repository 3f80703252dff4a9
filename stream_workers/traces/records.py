"""The recorded records that a worker has received, and has not stored yet."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from opentelemetry.trace import SpanKind

from contract.log.record import Headers
from service.traces.context import TRACEPARENT, TRACESTATE, context_in, leaves_out
from service.traces.span import MOST_LINKS, Span, SpanTemplate, Tracer
from stream_workers.counting.mailbox import Received
from stream_workers.faust_adapter.agent import received_from
from stream_workers.partition.flush import PartitionFlush

MOST_AT_ONCE: Final = MOST_LINKS
"""So many records have spans between two flushes, as a flush has a link to each. Others have none: producers that
record each of their records must not make a worker slow."""
RELEASED: Final = "released"
"""The kind of error where the partition was taken away before its flush was done: its next owner counts the record."""


class _Waiting(NamedTuple):
    offset: int
    span: Span


class RecordTraces:
    """A span for each record whose producer says that its trace is recorded: its context is in the record's headers.

    It is the worker's only say in what is recorded: records without a context, or with one that is not recorded, leave
    no spans.
    """

    def __init__(self, tracer: Tracer, topic: str, group: str) -> None:
        self._tracer = tracer
        self._template = SpanTemplate(
            f"process {topic}",
            SpanKind.CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": topic,
                "messaging.consumer.group.name": group,
            },
        )
        self._generation = 0
        self._waiting: defaultdict[int, list[_Waiting]] = defaultdict(list)
        """By partition, in the order of their offsets."""
        self._number = 0

    def receive(self, event: Any) -> Received:  # noqa: ANN401 - Faust's event is untyped
        """Stands in place of `received_from`."""
        received = received_from(event)
        headers: Headers = event.message.headers or ()
        for name, value in headers:
            if name == TRACEPARENT:
                if not leaves_out(value):
                    self._note(received, headers)
                break
        return received

    def take(self, parts: Iterable[PartitionFlush]) -> list[Span]:
        """The spans of records that these flushes store; they are the caller's to end."""
        taken = []
        for part in parts:
            waiting = self._waiting.pop(part.state.source.partition, [])
            through = part.progress.through_offset
            taken += [one.span for one in waiting if one.offset <= through]
            self._waiting[part.state.source.partition] = [one for one in waiting if one.offset > through]
        self._number -= len(taken)
        return taken

    def _note(self, received: Received, headers: Headers) -> None:
        if received.generation != self._generation:
            self._release(received.generation)
        if self._number >= MOST_AT_ONCE:
            return
        producer = context_in(
            [value for name, value in headers if name == TRACEPARENT],
            [value for name, value in headers if name == TRACESTATE],
        )
        if producer is not None and producer.trace_flags.sampled:
            record = received.record
            span = self._tracer.begin(self._template, producer)
            span.attributes = {
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
                "messaging.message.body.size": len(record.value or b""),
            }
            self._waiting[record.partition].append(_Waiting(record.offset, span))
            self._number += 1

    def _release(self, generation: int) -> None:
        """All partitions were taken away, and given out anew: what is read of them again has spans of its own."""
        for waiting in self._waiting.values():
            for one in waiting:
                one.span.end(RELEASED)
        self._waiting.clear()
        self._number = 0
        self._generation = generation
