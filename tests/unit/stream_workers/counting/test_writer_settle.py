import asyncio

import pytest

from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import quiet
from support.fixtures.writer import A_LONG_TIME, WriterFixture, clicks, window_of_another_owner


@timeless
async def test_a_writer_with_nothing_to_do_is_settled() -> None:
    fixture = WriterFixture()
    await fixture.writer.settle()
    async with fixture.running(0):
        await fixture.writer.settle()


@timeless
async def test_settling_does_not_wait_for_the_interval() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.mailbox.put(*clicks(0, 1, 2))
        began = asyncio.get_running_loop().time()
        await fixture.writer.settle()
        assert asyncio.get_running_loop().time() == began


@pytest.mark.parametrize("blocked", ["verify", "actions", "windows", "progress", "commit", "read windows"])
@timeless
async def test_a_writer_is_not_settled_before_all_that_it_received_is_stored_and_committed(blocked: str) -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold(blocked)
        fixture.mailbox.put(*clicks(0, 1))
        settling = asyncio.create_task(fixture.writer.settle())
        await asyncio.sleep(A_LONG_TIME)
        assert not settling.done()
        assert not fixture.writer.idle
        fixture.journal.let(blocked)
        await settling
        assert fixture.writer.idle
    assert fixture.mailbox.empty()
    assert fixture.clicks() == 2
    assert fixture.committed == {0: 2}


@timeless
async def test_settling_takes_in_what_comes_meanwhile() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        settling = asyncio.create_task(fixture.writer.settle())
        await quiet()
        fixture.mailbox.put(*clicks(1))
        fixture.journal.let("progress")
        await settling
    assert fixture.committed == {0: 2}


@timeless
async def test_what_another_owner_has_stored_ahead_of_us_does_not_keep_a_writer_from_settling() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        await window_of_another_owner(fixture, through_offset=50)
        fixture.mailbox.put(*clicks(0, 1, 2))
        await fixture.writer.settle()
    assert fixture.committed == {}
