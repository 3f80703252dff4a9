import asyncio

import pytest

from stream_workers.metrics import LISTED
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, quiet
from support.fixtures.writer import A_LONG_TIME, WriterFixture, clicks


@timeless
async def test_a_release_stores_and_commits_what_was_folded_and_forgets_all_partitions() -> None:
    fixture = WriterFixture()
    async with fixture.running(0, 1):
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.release(A_LONG_TIME)
        assert fixture.clicks() == 2
        assert fixture.committed == {0: 2}
        assert fixture.writer.partitions == []


@timeless
async def test_a_release_is_bounded_where_the_store_is_away() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("windows")
        fixture.mailbox.put(*clicks(0))
        began = asyncio.get_running_loop().time()
        await fixture.writer.release(5.0)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)
        assert fixture.writer.partitions == []


@timeless
async def test_a_flush_that_outlives_the_release_stores_no_progress_and_commits_nothing() -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.journal.hold("windows")
        fixture.mailbox.put(*clicks(0))
        await fixture.writer.release(5.0)
        fixture.journal.let("windows")
        await asyncio.sleep(A_LONG_TIME)
        assert not task.done()
    assert fixture.store.progress == {}
    assert fixture.committed == {}


@timeless
async def test_a_load_that_outlives_the_release_counts_nothing() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("read windows")
        fixture.mailbox.put(*clicks(0))
        await fixture.writer.release(5.0)
        await fixture.acquire()
        fixture.journal.let("read windows")
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.settle()
    assert fixture.clicks() == 2


@timeless
async def test_a_load_that_fails_again_and_again_is_given_up_at_the_release() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.failures["read windows"] = [AWAY] * 10_000
        fixture.mailbox.put(*clicks(0, 1))
        await quiet()
        fixture.assignment.fence()
        await fixture.writer.release(0.0)
        await quiet()
        assert fixture.mailbox.empty()
        assert fixture.journal.failures["read windows"]


@timeless
async def test_what_lay_in_the_mailbox_at_a_release_is_dropped_and_counted_by_the_next_owner() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("read windows")
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.release(5.0)
        fixture.journal.let("read windows")
        await quiet()
        assert fixture.mailbox.empty()
        assert fixture.store.windows == {}
        await fixture.acquire()
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.settle()
    assert fixture.clicks() == 2


@timeless
async def test_a_partition_that_comes_back_goes_on_from_what_its_last_owner_stored() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0, 1))
        await fixture.writer.release(A_LONG_TIME)
        assert await fixture.acquire() == 1
        fixture.mailbox.put(*clicks(1, 2))
        await fixture.writer.settle()
    assert fixture.clicks() == 3


@timeless
async def test_a_sealed_writer_stores_what_it_folded_and_takes_nothing_more_from_the_mailbox() -> None:
    """Faust clears the mailbox at a revocation: a record that survives would be counted behind those that did not."""
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0, 1))
        await quiet()
        fixture.assignment.fence()
        fixture.mailbox.put(*clicks(2), *clicks(7))
        await fixture.writer.release(A_LONG_TIME)
    assert fixture.clicks() == 2
    assert fixture.committed == {0: 2}


@timeless
async def test_a_partition_that_is_taken_over_anew_opens_a_sealed_writer() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.assignment.fence()
        await fixture.writer.release(A_LONG_TIME)
        await fixture.acquire()
        fixture.mailbox.put(*clicks(0))
        await fixture.writer.settle()
    assert fixture.clicks() == 1


@timeless
async def test_each_release_is_timed_also_one_that_is_cut_off() -> None:
    fixture, name = WriterFixture(), "collector_worker_release_seconds_count"
    before = LISTED.registry.get_sample_value(name) or 0
    async with fixture.running(0):
        await fixture.writer.release(A_LONG_TIME)
        await fixture.acquire()
        fixture.journal.hold("windows")
        fixture.mailbox.put(*clicks(0))
        await fixture.writer.release(5.0)
    assert LISTED.registry.get_sample_value(name) == before + 2
