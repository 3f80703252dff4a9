import asyncio
from zlib import crc32

import pytest

from contract.errors import LogReplaced, LogTruncated, RecordsMissing, StateUnreadable, StoreConflict
from contract.progress import Progress, RecordMark
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, HOUR, quiet, record_of
from support.fixtures.writer import A_LONG_TIME, GENERATION, INTERVAL, Kit, cause_of, clicks


@timeless
async def test_what_the_mailbox_holds_is_counted_stored_and_committed() -> None:
    kit = Kit()
    async with kit.running(0, 1):
        kit.mailbox.put(*clicks(0, 1, 2), *clicks(0, partition=1), record_of(3, b"poison"))
        await kit.writer.settle()
    assert (kit.clicks(0), kit.clicks(1)) == (3, 1)
    assert kit.committed == {0: 4, 1: 1}
    assert [line.value for line in kit.sink.lines] == [b"poison"]


@timeless
async def test_a_flush_begins_when_its_interval_is_over() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0))
        await quiet()
        assert "verify" not in kit.journal.begun
        await asyncio.sleep(INTERVAL * 2)
        assert kit.clicks() == 1


@timeless
async def test_the_interval_runs_while_a_flush_is_in_flight() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 1.9)
        kit.mailbox.put(*clicks(1))
        kit.journal.let("progress")
        await asyncio.sleep(INTERVAL * 0.2)
        assert kit.clicks() == 2


@timeless
async def test_a_flush_begins_at_once_when_enough_lines_wait() -> None:
    kit = Kit(flush_lines=3)
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1))
        await quiet()
        assert "verify" not in kit.journal.begun
        kit.mailbox.put(*clicks(2))
        await quiet()
        assert kit.clicks() == 3


@timeless
async def test_offsets_are_committed_after_progress_is_stored() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0))
        await kit.writer.settle()
    assert kit.journal.done[-2:] == ["progress", "commit"]


@timeless
async def test_what_was_stored_is_not_committed_while_progress_is_uncertain() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert kit.journal.done[-1] != "commit"
        assert kit.committed == {}
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.committed == {0: 1}


@timeless
async def test_folding_goes_on_during_a_flush() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.put(*clicks(1, 2))
        await quiet()
        assert kit.mailbox.empty()
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 3


@timeless
async def test_records_fetched_in_another_generation_are_dropped() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0), generation=GENERATION - 1)
        kit.mailbox.put(*clicks(0))
        kit.mailbox.put(*clicks(1), generation=GENERATION + 1)
        await kit.writer.settle()
    assert kit.clicks() == 1
    assert kit.committed == {0: 1}


@timeless
async def test_records_of_a_partition_that_is_not_owned_are_dropped() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, partition=7))
        await kit.writer.settle()
    assert kit.store.windows == {}
    assert kit.committed == {}


@timeless
async def test_a_record_that_does_not_follow_on_the_last_one_ends_the_work_and_is_not_counted() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.mailbox.put(*clicks(0, 2))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert isinstance(cause_of(task), RecordsMissing)
    assert kit.clicks() == 0
    assert kit.committed == {}


@timeless
async def test_holes_of_the_log_itself_are_counted_over() -> None:
    kit = Kit()
    kit.holes = {(0, 0, 5), (0, 6, 9)}
    async with kit.running(0):
        kit.mailbox.put(*clicks(5, 9, 10))
        await kit.writer.settle()
    assert kit.clicks() == 3
    assert kit.committed == {0: 11}


@timeless
async def test_windows_that_cannot_be_loaded_are_tried_again() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.failures["read windows"] = [AWAY] * 5
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_windows_beyond_the_memory_allowed_are_evicted_after_a_flush_and_count_on() -> None:
    kit = Kit(window_memory=1)
    async with kit.running(0):
        for offset in range(3):
            kit.mailbox.put(*clicks(offset))
            await kit.writer.settle()
    assert kit.journal.done.count("read windows") == 3
    assert kit.clicks() == 3


@timeless
async def test_the_end_of_the_mailbox_ends_the_work() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.mailbox.put(*clicks(0))
        kit.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
        assert task.exception() is None


@timeless
async def test_the_end_of_the_mailbox_ends_a_flush_that_is_under_way() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
    assert kit.store.progress == {}


@pytest.mark.parametrize("error", [StoreConflict("conflict"), LogReplaced("anew")], ids=["conflict", "replaced"])
@timeless
async def test_an_error_that_no_retry_helps_ends_the_work(error: Exception) -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.failures["verify"] = [error]
        kit.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error
    assert kit.committed == {}


@timeless
async def test_a_stored_state_that_cannot_be_read_ends_the_work() -> None:
    kit, error = Kit(), StateUnreadable("of a version to come")
    async with kit.running(0) as task:
        kit.journal.failures["read windows"] = [error]
        kit.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error


@timeless
async def test_another_record_where_progress_remembers_one_ends_the_work() -> None:
    kit = Kit()
    await kit.store_progress(Progress(0, lines=1, mark=RecordMark(HOUR, crc32(b"the one"))))
    async with kit.running(0) as task:
        kit.mailbox.put(record_of(0, b"another"), *clicks(1))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert isinstance(cause_of(task), LogTruncated)
    assert kit.store.windows == {}
