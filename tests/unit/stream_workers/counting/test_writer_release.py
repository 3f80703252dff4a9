import asyncio

import pytest

from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, quiet
from support.fixtures.writer import A_LONG_TIME, Kit, clicks


@timeless
async def test_a_release_stores_and_commits_what_was_folded_and_forgets_all_partitions() -> None:
    kit = Kit()
    async with kit.running(0, 1):
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(A_LONG_TIME)
        assert kit.clicks() == 2
        assert kit.committed == {0: 2}
        assert kit.writer.partitions == []


@timeless
async def test_a_release_is_bounded_where_the_store_is_away() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("windows")
        kit.mailbox.put(*clicks(0))
        began = asyncio.get_running_loop().time()
        await kit.writer.release(5.0)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)
        assert kit.writer.partitions == []


@timeless
async def test_a_flush_that_outlives_the_release_stores_no_progress_and_commits_nothing() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.hold("windows")
        kit.mailbox.put(*clicks(0))
        await kit.writer.release(5.0)
        kit.journal.let("windows")
        await asyncio.sleep(A_LONG_TIME)
        assert not task.done()
    assert kit.store.progress == {}
    assert kit.committed == {}


@timeless
async def test_a_load_that_outlives_the_release_counts_nothing() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("read windows")
        kit.mailbox.put(*clicks(0))
        await kit.writer.release(5.0)
        await kit.acquire()
        kit.journal.let("read windows")
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_a_load_that_fails_again_and_again_is_given_up_at_the_release() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.failures["read windows"] = [AWAY] * 10_000
        kit.mailbox.put(*clicks(0, 1))
        await quiet()
        kit.assignment.fence()
        await kit.writer.release(0.0)
        await quiet()
        assert kit.mailbox.empty()
        assert kit.journal.failures["read windows"]


@timeless
async def test_what_lay_in_the_mailbox_at_a_release_is_dropped_and_counted_by_the_next_owner() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("read windows")
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(5.0)
        kit.journal.let("read windows")
        await quiet()
        assert kit.mailbox.empty()
        assert kit.store.windows == {}
        await kit.acquire()
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_a_partition_that_comes_back_goes_on_from_what_its_last_owner_stored() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(A_LONG_TIME)
        assert await kit.acquire() == 1
        kit.mailbox.put(*clicks(1, 2))
        await kit.writer.settle()
    assert kit.clicks() == 3


@timeless
async def test_a_sealed_writer_stores_what_it_folded_and_takes_nothing_more_from_the_mailbox() -> None:
    """Faust clears the mailbox at a revocation: a record that survives would be counted behind those that did not."""
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1))
        await quiet()
        kit.assignment.fence()
        kit.mailbox.put(*clicks(2), *clicks(7))
        await kit.writer.release(A_LONG_TIME)
    assert kit.clicks() == 2
    assert kit.committed == {0: 2}


@timeless
async def test_a_partition_that_is_taken_over_anew_opens_a_sealed_writer() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.assignment.fence()
        await kit.writer.release(A_LONG_TIME)
        await kit.acquire()
        kit.mailbox.put(*clicks(0))
        await kit.writer.settle()
    assert kit.clicks() == 1
