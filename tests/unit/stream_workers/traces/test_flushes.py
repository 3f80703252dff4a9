import pytest

from contract.errors import LogReplaced
from contract.log.progress import Progress
from stream_workers.gather_all import gather_all
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.state import PartitionState
from stream_workers.retry import Abandoned, RetryPolicy
from stream_workers.traces.flushes import FlushTraces, TracedFlusher
from stream_workers.traces.records import RecordTraces
from support.fixtures.traces import Ended, SpansInMemory, traceparent
from support.fixtures.worker import (
    AWAY,
    SOURCE,
    FakeIdentity,
    FakeSink,
    Journal,
    PastLog,
    WatchedStore,
    click,
    no_pause,
    numbered_slots,
    record,
)
from support.fixtures.worker_events import event_of

SAMPLED, NOT_SAMPLED = traceparent(), traceparent(sampled=False)
STEPS = ["look at the topic's id", "store actions", "store progress", "store segments", "store windows"]


class Flushing:
    """A traced flusher on fakes, and one partition."""

    def __init__(self) -> None:
        self.spans = SpansInMemory()
        self.journal = Journal()
        self.store = WatchedStore(self.journal)
        tracer = self.spans.process.tracer
        self._records = RecordTraces(tracer, "actions", "workers")
        self.traces = FlushTraces(tracer, self._records)
        self.retry = RetryPolicy(no_pause, on_success=self.traces.note_step)
        self._flusher = TracedFlusher(
            self.store, FakeSink(self.journal), FakeIdentity(self.journal), self.retry, gather_all, traces=self.traces
        )
        self._state = PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())

    async def flush(self, *producers: bytes, ours: bool = True) -> None:
        """A flush of a record of each producer."""
        await self._flusher.write([await self.part(*producers)], lambda: ours)

    async def part(self, *producers: bytes) -> PartitionFlush:
        """What is to be flushed of the partition."""
        for producer in producers:
            one = record(self._state.folded + 1, click("ada"))
            self._records.receive(event_of(one, [("traceparent", producer)]))
            await self._state.fold(one, self.store)
        part = self._state.snapshot()
        assert part is not None
        return part

    def named(self, name: str) -> list[Ended]:
        return [span for span in self.spans.ended if span.name == name]


async def test_a_flush_and_the_recorded_records_that_it_stores_name_each_other() -> None:
    flushing = Flushing()
    await flushing.flush(SAMPLED, NOT_SAMPLED, SAMPLED)

    flush, records = flushing.spans.one("flush"), flushing.named("process actions")
    assert flush.parent is None
    assert flush.links == [one.context for one in records]
    assert [one.links for one in records] == [[flush.context]] * 2
    assert flush.attributes == {
        "collector.flush.partitions": 1,
        "collector.flush.lines": 3,
        "collector.flush.windows": 1,
    }
    assert flush.error is None
    assert flushing.store.stored() is not None


async def test_each_step_of_it_is_a_span_below_it() -> None:
    flushing = Flushing()
    await flushing.flush(SAMPLED)

    flush = flushing.spans.one("flush")
    of_flush = (flush.context.trace_id, flush.context.span_id)
    assert sorted(span.name for span in flushing.spans.ended if span.parent == of_flush) == STEPS


async def test_a_step_s_span_is_as_long_as_the_step_was() -> None:
    flushing = Flushing()
    span = flushing.traces.begin([await flushing.part(SAMPLED)])
    assert span is not None
    with span:
        flushing.traces.note_step("waited", 2.5)
    assert flushing.spans.one("waited").ns == 2_500_000_000


async def test_steps_of_what_is_no_recorded_flush_leave_no_spans() -> None:
    flushing = Flushing()
    await flushing.flush(SAMPLED)
    before = len(flushing.spans.ended)
    await flushing.flush(NOT_SAMPLED)

    async def step() -> None:
        """Beside a flush."""

    await flushing.retry("load windows", step, still_ours=lambda: True)
    assert len(flushing.spans.ended) == before
    assert flushing.journal.done.count("progress") == 2


async def test_a_step_that_is_tried_again_is_one_span() -> None:
    flushing = Flushing()
    flushing.journal.failures["actions"] = [AWAY, AWAY]
    await flushing.flush(SAMPLED)
    assert len(flushing.named("store actions")) == 1


async def test_a_flush_whose_partitions_were_taken_away_has_failed_and_its_records_too() -> None:
    flushing = Flushing()
    with pytest.raises(Abandoned):
        await flushing.flush(SAMPLED, ours=False)

    for span in (flushing.spans.one("flush"), flushing.spans.one("process actions")):
        assert span.error == "released"


async def test_what_stops_the_worker_is_named_by_its_kind() -> None:
    flushing = Flushing()
    flushing.journal.failures["verify"] = [LogReplaced("another topic")]
    with pytest.raises(LogReplaced):
        await flushing.flush(SAMPLED)

    flush = flushing.spans.one("flush")
    assert flush.error == "LogReplaced"
