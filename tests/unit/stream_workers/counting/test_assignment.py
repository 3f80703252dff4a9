import asyncio

import pytest

from contract.errors import LogTruncated, RulesTooOld
from contract.log.action import RULES_VERSION
from contract.log.progress import LogPartition, Progress, RecordMark
from contract.store import ProgressPoint
from stream_workers.faust_adapter.ports import Acquired
from stream_workers.retry import Abandoned
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, HOUR, LOG, quiet
from support.fixtures.writer import A_LONG_TIME, GENERATION, WriterFixture


@timeless
async def test_a_partition_that_nobody_counted_is_read_from_its_beginning() -> None:
    fixture = WriterFixture()
    assert await fixture.acquire() == 0
    assert fixture.writer.partitions == [0]
    assert fixture.store.progress == {}


@timeless
async def test_a_log_in_place_of_another_is_told_once_by_partitions_acquired_side_by_side(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fixture = WriterFixture()
    old = LogPartition("an-older-log", 0)
    await fixture.store.write_progress([ProgressPoint(old, 0, Progress(49))])
    both = (fixture.assignment.acquire(LogPartition(LOG, partition), 0, 1_000, GENERATION) for partition in (0, 1))
    fixture.journal.hold("read progress")
    acquiring = asyncio.gather(*both)
    await quiet()
    # Each has its own progress, and asks for that of others.
    fixture.journal.let("read progress")
    fixture.journal.hold("read progress")
    await quiet()
    fixture.journal.let("read progress")
    await acquiring
    (told,) = (record.message for record in caplog.records if record.levelname == "WARNING")
    assert told.startswith(f"log {LOG}: nothing of it is counted, but of an-older-log: ")


@timeless
async def test_a_partition_that_is_new_in_its_log_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    fixture = WriterFixture()
    await fixture.store.write_progress([ProgressPoint(LogPartition("an-older-log", 0), 0, Progress(49))])
    await fixture.store_progress(Progress(49))
    await fixture.assignment.acquire(LogPartition(LOG, 1), 0, 1_000, GENERATION)
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@timeless
async def test_a_partition_is_read_on_from_the_stores_progress() -> None:
    fixture = WriterFixture()
    await fixture.store_progress(Progress(49))
    await fixture.store_progress(Progress(70, mark=RecordMark(1, 2)), partition=1)
    first, second = [
        await fixture.assignment.acquire(LogPartition(LOG, partition), 0, 1_000, GENERATION) for partition in (0, 1)
    ]
    assert first == Acquired(read_from=50, next_offset=50)
    assert second == Acquired(read_from=70, next_offset=71)


@timeless
async def test_the_progress_that_a_worker_starts_from_is_acknowledged_under_its_own_slot_first() -> None:
    fixture, seen = WriterFixture(), Progress(49, lines=60, watermark=HOUR)
    await fixture.store_progress(seen)
    fixture.journal.hold("progress")
    taking = asyncio.create_task(fixture.acquire())
    await quiet()
    assert not taking.done()
    assert fixture.writer.partitions == []

    fixture.journal.let("progress")

    assert await taking == 50
    assert len(fixture.store.progress) == 2
    assert set(map(repr, fixture.store.progress.values())) == {repr(seen)}


@timeless
async def test_taking_over_waits_for_a_store_that_is_away() -> None:
    fixture = WriterFixture()
    await fixture.store_progress(Progress(49))
    fixture.journal.failures["read progress"] = [AWAY] * 7
    fixture.journal.failures["progress"] = [AWAY] * 7
    assert await fixture.acquire() == 50


@timeless
async def test_lost_records_are_stored_as_progress_before_anything_is_read() -> None:
    fixture = WriterFixture()
    await fixture.store_progress(Progress(9, lines=10))
    assert await fixture.acquire(beginning=50) == 50
    assert fixture.store.stored() == Progress(49, lines=50, lost=40)


@pytest.mark.parametrize(
    ("progress", "error"), [(Progress(1_000), LogTruncated), (Progress(5, rules=RULES_VERSION + 1), RulesTooOld)]
)
@timeless
async def test_a_log_that_progress_does_not_fit_is_refused(progress: Progress, error: type[Exception]) -> None:
    fixture = WriterFixture()
    await fixture.store_progress(progress)
    with pytest.raises(error):
        await fixture.acquire()
    assert fixture.writer.partitions == []


@pytest.mark.parametrize("blocked", ["read progress", "progress"])
@timeless
async def test_a_partition_revoked_while_it_is_being_acquired_is_given_up(blocked: str) -> None:
    fixture = WriterFixture()
    await fixture.store_progress(Progress(49))
    fixture.journal.hold(blocked)
    taking = asyncio.create_task(fixture.acquire())
    await quiet()
    await fixture.writer.release(A_LONG_TIME)
    fixture.journal.let(blocked)
    with pytest.raises(Abandoned):
        await taking
    assert fixture.writer.partitions == []
