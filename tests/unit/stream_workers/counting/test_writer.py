import asyncio
from zlib import crc32

import pytest

from contract.errors import LogReplaced, LogTruncated, RecordsMissing, StateUnreadable, StoreConflict
from contract.log.progress import Progress, RecordMark
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, HOUR, quiet, record_of
from support.fixtures.writer import A_LONG_TIME, GENERATION, INTERVAL, WriterFixture, cause_of, clicks


@timeless
async def test_what_the_mailbox_holds_is_counted_stored_and_committed() -> None:
    fixture = WriterFixture()
    async with fixture.running(0, 1):
        fixture.mailbox.put(*clicks(0, 1, 2), *clicks(0, partition=1), record_of(3, b"poison"))
        await fixture.writer.settle()
    assert (fixture.clicks(0), fixture.clicks(1)) == (3, 1)
    assert fixture.committed == {0: 4, 1: 1}
    assert [line.value for line in fixture.sink.lines] == [b"poison"]


@timeless
async def test_a_flush_begins_when_its_interval_is_over() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0))
        await quiet()
        assert "verify" not in fixture.journal.begun
        await asyncio.sleep(INTERVAL * 2)
        assert fixture.clicks() == 1


@timeless
async def test_the_interval_runs_while_a_flush_is_in_flight() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 1.9)
        fixture.mailbox.put(*clicks(1))
        fixture.journal.let("progress")
        await asyncio.sleep(INTERVAL * 0.2)
        assert fixture.clicks() == 2


@timeless
async def test_a_flush_begins_at_once_when_enough_lines_wait() -> None:
    fixture = WriterFixture(flush_lines=3)
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0, 1))
        await quiet()
        assert "verify" not in fixture.journal.begun
        fixture.mailbox.put(*clicks(2))
        await quiet()
        assert fixture.clicks() == 3


@timeless
async def test_offsets_are_committed_after_progress_is_stored() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0))
        await fixture.writer.settle()
    assert fixture.journal.done[-2:] == ["progress", "commit"]


@timeless
async def test_what_was_stored_is_not_committed_while_progress_is_uncertain() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.journal.done[-1] != "commit"
        assert fixture.committed == {}
        fixture.journal.let("progress")
        await fixture.writer.settle()
    assert fixture.committed == {0: 1}


@timeless
async def test_folding_goes_on_during_a_flush() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        fixture.mailbox.put(*clicks(1, 2))
        await quiet()
        assert fixture.mailbox.empty()
        fixture.journal.let("progress")
        await fixture.writer.settle()
    assert fixture.clicks() == 3


@timeless
async def test_records_fetched_in_another_generation_are_dropped() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0), generation=GENERATION - 1)
        fixture.mailbox.put(*clicks(0))
        fixture.mailbox.put(*clicks(1), generation=GENERATION + 1)
        await fixture.writer.settle()
    assert fixture.clicks() == 1
    assert fixture.committed == {0: 1}


@timeless
async def test_records_of_a_partition_that_is_not_owned_are_dropped() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0, partition=7))
        await fixture.writer.settle()
    assert fixture.store.windows == {}
    assert fixture.committed == {}


@timeless
async def test_a_record_that_does_not_follow_on_the_last_one_ends_the_work_and_is_not_counted() -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.mailbox.put(*clicks(0, 2))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert isinstance(cause_of(task), RecordsMissing)
    assert fixture.clicks() == 0
    assert fixture.committed == {}


@timeless
async def test_holes_of_the_log_itself_are_counted_over() -> None:
    fixture = WriterFixture()
    fixture.holes = {(0, 0, 5), (0, 6, 9)}
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(5, 9, 10))
        await fixture.writer.settle()
    assert fixture.clicks() == 3
    assert fixture.committed == {0: 11}


@timeless
async def test_windows_that_cannot_be_loaded_are_tried_again() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.failures["read windows"] = [AWAY] * 5
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.settle()
    assert fixture.clicks() == 2


@timeless
async def test_windows_beyond_the_memory_allowed_are_evicted_after_a_flush_and_count_on() -> None:
    fixture = WriterFixture(window_memory=1)
    async with fixture.running(0):
        for offset in range(3):
            fixture.mailbox.put(*clicks(offset))
            await fixture.writer.settle()
    assert fixture.journal.done.count("read windows") == 3
    assert fixture.clicks() == 3


@timeless
async def test_the_end_of_the_mailbox_ends_the_work() -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.mailbox.put(*clicks(0))
        fixture.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
        assert task.exception() is None


@timeless
async def test_the_end_of_the_mailbox_ends_a_flush_that_is_under_way() -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        fixture.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
    assert fixture.store.progress == {}


@pytest.mark.parametrize("error", [StoreConflict("conflict"), LogReplaced("replaced")], ids=["conflict", "replaced"])
@timeless
async def test_an_error_that_no_retry_helps_ends_the_work(error: Exception) -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.journal.failures["verify"] = [error]
        fixture.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error
    assert fixture.committed == {}


@timeless
async def test_a_stored_state_that_cannot_be_read_ends_the_work() -> None:
    fixture, error = WriterFixture(), StateUnreadable("of a version to come")
    async with fixture.running(0) as task:
        fixture.journal.failures["read windows"] = [error]
        fixture.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error


@timeless
async def test_another_record_where_progress_remembers_one_ends_the_work() -> None:
    fixture = WriterFixture()
    await fixture.store_progress(Progress(0, lines=1, mark=RecordMark(HOUR, crc32(b"the one"))))
    async with fixture.running(0) as task:
        fixture.mailbox.put(record_of(0, b"another"), *clicks(1))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert isinstance(cause_of(task), LogTruncated)
    assert fixture.store.windows == {}
