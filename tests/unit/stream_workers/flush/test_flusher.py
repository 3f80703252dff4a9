import asyncio

import pytest

from contract.errors import LogReplaced, LogUnavailable, LogUnfit, StoreConflict
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from stream_workers.flush.flusher import Flusher
from stream_workers.gather_all import gather_all
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.state import PartitionState
from stream_workers.retry import Abandoned, RetryPolicy
from support.fixtures.worker import (
    AWAY,
    HOUR,
    LOG,
    SOURCE,
    FakeIdentity,
    FakeSink,
    Journal,
    PastLog,
    WatchedStore,
    click,
    no_pause,
    numbered_slots,
    quiet,
    record,
    record_of,
)

RESULTS = ["actions", "segments", "windows", "rejected"]
BEHIND = {"segments": ["windows"]}
"""What waits for which of them; all else goes side by side."""


class Parts:
    """A flusher whose parts write one journal."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.store = WatchedStore(self.journal)
        self.sink = FakeSink(self.journal)
        self.identity = FakeIdentity(self.journal)
        self.slots = numbered_slots()
        self.flusher = Flusher(self.store, self.sink, self.identity, RetryPolicy(no_pause), gather_all)

    async def flush(self, source: LogPartition = SOURCE, state: PartitionState | None = None) -> PartitionFlush:
        """A flush with actions, a window and a rejected line in it."""
        state = state or PartitionState(source, Progress(), self.slots, PastLog())
        first = state.folded + 1
        await state.fold(record(first, click("ada")), self.store)
        await state.fold(record_of(first + 1, b"poison"), self.store)
        self.journal.done.clear()
        flush = state.snapshot()
        assert flush is not None
        return flush


@pytest.fixture
def parts() -> Parts:
    return Parts()


def ours() -> bool:
    return True


async def test_a_flush_stores_results_and_then_progress(parts: Parts) -> None:
    flush = await parts.flush()
    await parts.flusher.write([flush], ours)
    assert parts.journal.done[0] == "verify"
    assert sorted(parts.journal.done[1:5]) == sorted(RESULTS)
    assert parts.journal.done[5:] == ["progress"]
    assert parts.store.stored() == flush.progress
    assert parts.store.actions == {(SOURCE, 0): click("ada")}
    assert [value for (_, hour, _), value in parts.store.windows.items() if hour == HOUR] == [flush.windows[0][1]]
    assert len(parts.store.segments) == 1
    assert parts.sink.lines == flush.rejected


@pytest.mark.parametrize("late", RESULTS)
async def test_progress_waits_until_all_results_and_rejected_lines_are_acknowledged(parts: Parts, late: str) -> None:
    flush = await parts.flush()
    parts.journal.hold(late)
    writing = asyncio.create_task(parts.flusher.write([flush], ours))
    await quiet()
    assert sorted([*parts.journal.done, late, *BEHIND.get(late, [])]) == sorted(["verify", *RESULTS])
    assert parts.store.progress == {}

    parts.journal.let(late)

    await writing
    assert parts.store.stored() == flush.progress


@pytest.mark.parametrize("failing", RESULTS)
async def test_progress_waits_for_what_is_tried_again(parts: Parts, failing: str) -> None:
    flush = await parts.flush()
    error = LogUnavailable("Kafka is away") if failing == "rejected" else AWAY
    parts.journal.failures[failing] = [error] * 5
    await parts.flusher.write([flush], ours)
    assert parts.journal.begun.count(failing) == 6
    last = [failing, *BEHIND.get(failing, []), "progress"]
    assert parts.journal.done[-len(last) :] == last


async def test_a_state_learns_of_its_commit_only_when_its_progress_is_acknowledged(parts: Parts) -> None:
    flush = await parts.flush()
    parts.journal.hold("progress")
    writing = asyncio.create_task(parts.flusher.write([flush], ours))
    await quiet()
    assert not flush.state.settled
    parts.journal.let("progress")
    await writing
    assert flush.state.settled


@pytest.mark.parametrize("error", [LogReplaced("created again"), LogUnfit("missing")])
async def test_a_topic_with_another_id_is_told_before_anything_is_written(parts: Parts, error: Exception) -> None:
    flush = await parts.flush()
    parts.journal.failures["verify"] = [error]
    with pytest.raises(type(error)):
        await parts.flusher.write([flush], ours)
    assert parts.journal.done == []
    assert parts.identity.asked == [LOG]
    assert (parts.store.windows, parts.store.actions, parts.store.progress, parts.sink.lines) == ({}, {}, {}, [])


async def test_nothing_is_written_while_the_topics_id_is_not_known(parts: Parts) -> None:
    flush = await parts.flush()
    parts.journal.failures["verify"] = [LogUnavailable("Kafka is away")] * 3
    await parts.flusher.write([flush], ours)
    assert parts.identity.asked == [LOG] * 4
    assert parts.journal.done[0] == "verify"


async def test_each_flush_looks_at_the_topics_id_again(parts: Parts) -> None:
    first = await parts.flush()
    await parts.flusher.write([first], ours)
    await parts.flusher.write([await parts.flush(state=first.state)], ours)
    assert parts.identity.asked == [LOG] * 2


async def test_windows_whose_write_is_uncertain_are_written_under_other_slots(parts: Parts) -> None:
    flush = await parts.flush()
    parts.journal.failures["windows"] = [AWAY, AWAY]
    await parts.flusher.write([flush], ours)
    assert len({slot for _, _, slot in parts.store.windows}) == 3
    assert list(parts.store.windows.values()) == [flush.windows[0][1]] * 3


async def test_a_slot_with_an_uncertain_write_is_never_used_again(parts: Parts) -> None:
    flush = await parts.flush()
    parts.journal.failures["windows"] = [AWAY]
    (uncertain,) = flush.window_points()
    await parts.flusher.write([flush], ours)
    for _ in range(4):
        flush = await parts.flush(state=flush.state)
        assert uncertain.slot not in [point.slot for point in flush.window_points()]
        await parts.flusher.write([flush], ours)
    assert parts.store.windows[SOURCE, HOUR, uncertain.slot] == uncertain.value


async def test_progress_whose_write_is_uncertain_is_written_under_another_slot(parts: Parts) -> None:
    flush = await parts.flush()
    first = flush.state.progress_slot
    parts.journal.failures["progress"] = [AWAY]
    await parts.flusher.write([flush], ours)
    second = flush.state.progress_slot
    assert second != first
    await parts.flusher.write([await parts.flush(state=flush.state)], ours)
    assert flush.state.progress_slot == second
    assert {slot for _, _, slot in parts.store.progress} == {second}


async def test_what_was_acknowledged_keeps_its_slot(parts: Parts) -> None:
    flush = await parts.flush()
    (point,) = flush.window_points()
    slot = flush.state.progress_slot
    await parts.flusher.write([flush], ours)
    assert list(parts.store.windows) == [(SOURCE, HOUR, point.slot)]
    assert {slot for _, _, slot in parts.store.progress} == {slot}


@pytest.mark.parametrize("refused", ["actions", "windows", "progress"])
async def test_what_the_store_can_never_accept_is_raised_and_progress_stays(parts: Parts, refused: str) -> None:
    flush = await parts.flush()
    conflict = StoreConflict("field type conflict", reason="conflict")
    parts.journal.failures[refused] = [conflict]
    with pytest.raises(StoreConflict):
        await parts.flusher.write([flush], ours)
    assert parts.store.progress == {}
    assert not flush.state.settled


@pytest.mark.parametrize("last", ["verify", *RESULTS])
async def test_what_was_taken_away_gets_no_progress(parts: Parts, last: str) -> None:
    """While `last` is under way the partitions are taken away."""
    flush, owned = await parts.flush(), [True]
    parts.journal.hold(last)
    writing = asyncio.create_task(parts.flusher.write([flush], lambda: owned[0]))
    await quiet()
    owned[0] = False
    parts.journal.let(last)
    with pytest.raises(Abandoned):
        await writing
    assert parts.store.progress == {}


async def test_the_partitions_of_a_flush_are_stored_together(parts: Parts) -> None:
    flushes = [await parts.flush(LogPartition(LOG, partition)) for partition in range(3)]
    await parts.flusher.write(flushes, ours)
    assert parts.identity.asked == [LOG]
    assert sorted(parts.journal.done) == sorted(["verify", *RESULTS, "progress"])
    for flush in flushes:
        assert parts.store.stored(flush.state.source) == flush.progress
        assert flush.state.settled


async def test_every_log_of_a_flush_is_looked_at(parts: Parts) -> None:
    flushes = [await parts.flush(LogPartition(log, 0)) for log in (LOG, "another")]
    await parts.flusher.write(flushes, ours)
    assert sorted(parts.identity.asked) == sorted([LOG, "another"])


async def test_a_flush_without_rejected_lines_asks_nothing_of_the_sink(parts: Parts) -> None:
    state = PartitionState(SOURCE, Progress(), parts.slots, PastLog())
    await state.fold(record(0, click("ada", hour=HOUR - HOUR_MS)), parts.store)
    flush = state.snapshot()
    assert flush is not None
    parts.journal.hold("rejected")
    await parts.flusher.write([flush], ours)
    assert parts.store.stored() == flush.progress


async def test_segments_are_acknowledged_before_values_are_written(parts: Parts) -> None:
    flush = await parts.flush()
    parts.journal.hold("segments")
    writing = asyncio.create_task(parts.flusher.write([flush], ours))
    await quiet()
    held_back = len(parts.store.windows), len(parts.store.segments)
    parts.journal.let("segments")
    await writing
    assert held_back == (0, 1)
    assert len(parts.store.windows) == 1
