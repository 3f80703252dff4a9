from types import SimpleNamespace

import pytest
from opentelemetry.trace import SpanKind

from contract.log.action import encode_action
from contract.log.progress import LogPartition, Progress
from contract.log.record import Headers, Record
from stores.memory import MemoryStore
from stream_workers.faust_adapter.agent import received_from
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.state import PartitionState
from stream_workers.traces.records import MOST_AT_ONCE, RecordTraces
from support.fixtures.traces import CALLER, TRACE, SpansInMemory, traceparent
from support.fixtures.worker import HOUR, LOG, PastLog, click, numbered_slots
from support.fixtures.worker_events import event_of

VALUE = encode_action(click("ada"))
SAMPLED = [("partitions", b"8"), ("traceparent", traceparent()), ("tracestate", b"vendor=1")]
GARBAGE = [
    [("traceparent", b"")],
    [("traceparent", None)],
    [("traceparent", b"\xff" * 55)],
    [("traceparent", b"0" * 10 * 1024 * 1024)],
    [("traceparent", traceparent()), ("traceparent", traceparent())],
    [("traceparent", traceparent(trace=0))],
]


class Worker:
    """Takes records from events, and folds them."""

    def __init__(self) -> None:
        self.spans = SpansInMemory()
        self.traces = RecordTraces(self.spans.process.tracer, "actions", "workers")
        self._store = MemoryStore()
        self._states: dict[int, PartitionState] = {}

    def receive(
        self, offset: int, headers: Headers | None = SAMPLED, *, partition: int = 0, generation: int = 1
    ) -> None:
        received = self.traces.receive(event(offset, headers, partition=partition, generation=generation))
        assert received == received_from(event(offset, headers, partition=partition, generation=generation))

    async def flush(self, through: int, partition: int = 0) -> PartitionFlush:
        """What stores a partition's records up to one."""
        state = self._states.setdefault(
            partition, PartitionState(LogPartition(LOG, partition), Progress(), numbered_slots(), PastLog())
        )
        for offset in range(state.folded + 1, through + 1):
            await state.fold(received_from(event(offset, None, partition=partition)).record, self._store)
        flush = state.snapshot()
        assert flush is not None
        return flush

    def taken(self, *parts: PartitionFlush) -> list[int]:
        """The offsets of the records whose spans these flushes are given; the spans are ended."""
        for span in self.traces.take(parts):
            span.end()
        return self.offsets()

    def offsets(self) -> list[int]:
        """Of the spans that have ended."""
        return [int(span.attributes["messaging.kafka.offset"]) for span in self.spans.ended]


def event(offset: int, headers: Headers | None, *, partition: int = 0, generation: int = 1) -> SimpleNamespace:
    return event_of(Record(partition, offset, HOUR, VALUE, 0), headers, generation)


async def test_a_recorded_record_has_a_span_below_its_producers_until_it_is_stored() -> None:
    worker = Worker()
    worker.receive(0)
    assert not worker.spans.ended

    assert worker.taken(await worker.flush(0)) == [0]
    span = worker.spans.one("process actions")
    assert span.parent == (TRACE, CALLER)
    assert span.kind is SpanKind.CONSUMER
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "actions",
        "messaging.consumer.group.name": "workers",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
        "messaging.message.body.size": len(VALUE),
    }


@pytest.mark.parametrize("headers", [None, [], [("partitions", b"8")], [("traceparent", traceparent(sampled=False))]])
async def test_a_record_that_is_not_recorded_has_none(headers: Headers | None) -> None:
    worker = Worker()
    worker.receive(0, headers)
    assert worker.taken(await worker.flush(0)) == []


@pytest.mark.parametrize("headers", GARBAGE, ids=lambda headers: repr(headers)[:40])
async def test_headers_that_are_garbage_change_nothing(headers: Headers) -> None:
    worker = Worker()
    worker.receive(0, headers)
    worker.receive(1)
    assert worker.taken(await worker.flush(1)) == [1]


async def test_a_flush_takes_the_records_that_it_stores_and_no_others() -> None:
    worker = Worker()
    for offset in range(4):
        worker.receive(offset)
    worker.receive(0, partition=1)

    assert worker.taken(await worker.flush(1)) == [0, 1]
    assert worker.taken(await worker.flush(0, partition=1)) == [0, 1, 0]


async def test_between_two_flushes_so_many_records_have_spans_and_after_it_as_many_again() -> None:
    assert MOST_AT_ONCE == 128, "as many links as OpenTelemetry allows a flush"
    worker = Worker()
    for offset in range(MOST_AT_ONCE + 50):
        worker.receive(offset)
    flush = await worker.flush(MOST_AT_ONCE + 49)
    assert worker.taken(flush) == list(range(MOST_AT_ONCE))
    flush.state.committed(flush)

    worker.receive(MOST_AT_ONCE + 50)
    assert worker.taken(await worker.flush(MOST_AT_ONCE + 50))[MOST_AT_ONCE:] == [MOST_AT_ONCE + 50]


async def test_after_a_rebalance_what_was_not_stored_has_failed_and_what_is_read_again_has_a_span() -> None:
    worker = Worker()
    for offset in range(2):
        worker.receive(offset)
    worker.receive(1, generation=2)

    assert worker.offsets() == [0, 1]
    for span in worker.spans.ended:
        assert span.error == "released"
    assert worker.taken(await worker.flush(1)) == [0, 1, 1]
