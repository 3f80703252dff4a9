"""Flushes that leave a span where they store recorded records."""

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Final

from opentelemetry.trace import SpanContext

from contract.store import StoreWriter
from service.traces.span import Span, SpanTemplate, Tracer
from stream_workers.flush.flusher import Flusher, LogIdentity, RejectedSink
from stream_workers.gather_all import GatherAll
from stream_workers.partition.flush import PartitionFlush
from stream_workers.retry import Abandoned, RetryPolicy
from stream_workers.traces.records import RELEASED, RecordTraces

_FLUSH: Final[ContextVar[SpanContext | None]] = ContextVar("flush", default=None)
"""The span of the flush that is being written, in its own tasks."""


class FlushTraces:
    """The spans of flushes.

    A flush is a trace of its own, for it stores records of many traces: it has a link to the span of each recorded one,
    and each of these has a link to it. Without recorded records it leaves none.
    """

    def __init__(self, tracer: Tracer, records: RecordTraces) -> None:
        self._tracer = tracer
        self._records = records

    def begin(self, parts: Sequence[PartitionFlush]) -> "FlushSpan | None":
        """None where none of the records that these store is recorded."""
        records = self._records.take(parts)
        if not records:
            return None
        span = self._tracer.begin(_template("flush"))
        span.attributes = {
            "collector.flush.partitions": len(parts),
            "collector.flush.lines": sum(len(part.raw.lines) for part in parts),
            "collector.flush.windows": sum(len(part.windows) for part in parts),
        }
        span.links = [record.context for record in records]
        for record in records:
            record.links = [span.context]
        return FlushSpan(span, records)

    def note_step(self, step: str, seconds: float) -> None:
        """To be told of each step that is done, with how long it took: one within a flush becomes a span."""
        flush = _FLUSH.get()
        if flush is not None:
            ended = time.time_ns()
            began = ended - round(seconds * 1e9)
            self._tracer.begin(_template(step), flush, began).end(ended=ended)


@cache
def _template(step: str) -> SpanTemplate:
    return SpanTemplate(step)


class FlushSpan:
    """A flush that stores recorded records; as a context manager, around its writing. Ends their spans as well."""

    def __init__(self, span: Span, records: Sequence[Span]) -> None:
        self._spans = [*records, span]
        self._context = span.context

    def __enter__(self) -> None:
        self._token = _FLUSH.set(self._context)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        _FLUSH.reset(self._token)
        failure = None
        if error is not None:
            failure = RELEASED if isinstance(error, Abandoned) else type(error).__name__
        for span in self._spans:
            span.end(failure)


class TracedFlusher(Flusher):
    """A Flusher whose flushes leave spans."""

    def __init__(
        self,
        store: StoreWriter,
        rejected: RejectedSink,
        identity: LogIdentity,
        retry: RetryPolicy,
        gather_all: GatherAll,
        *,
        traces: FlushTraces,
    ) -> None:
        super().__init__(store, rejected, identity, retry, gather_all)
        self._traces = traces

    async def write(self, parts: Sequence[PartitionFlush], still_ours: Callable[[], bool]) -> None:
        span = self._traces.begin(parts)
        if span is None:
            await super().write(parts, still_ours)
            return
        with span:
            await super().write(parts, still_ours)
