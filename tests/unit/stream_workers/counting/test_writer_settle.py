import asyncio

import pytest

from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import quiet
from support.fixtures.writer import A_LONG_TIME, Kit, clicks, window_of_another_owner


@timeless
async def test_a_writer_with_nothing_to_do_is_settled() -> None:
    kit = Kit()
    await kit.writer.settle()
    async with kit.running(0):
        await kit.writer.settle()


@timeless
async def test_settling_does_not_wait_for_the_interval() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1, 2))
        began = asyncio.get_running_loop().time()
        await kit.writer.settle()
        assert asyncio.get_running_loop().time() == began


@pytest.mark.parametrize("held", ["verify", "actions", "windows", "progress", "commit", "read windows"])
@timeless
async def test_a_writer_is_not_settled_before_all_that_it_received_is_stored_and_committed(held: str) -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold(held)
        kit.mailbox.put(*clicks(0, 1))
        settling = asyncio.create_task(kit.writer.settle())
        await asyncio.sleep(A_LONG_TIME)
        assert not settling.done()
        assert not kit.writer.idle
        kit.journal.let(held)
        await settling
        assert kit.writer.idle
    assert kit.mailbox.empty()
    assert kit.clicks() == 2
    assert kit.committed == {0: 2}


@timeless
async def test_settling_takes_in_what_comes_meanwhile() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        settling = asyncio.create_task(kit.writer.settle())
        await quiet()
        kit.mailbox.put(*clicks(1))
        kit.journal.let("progress")
        await settling
    assert kit.committed == {0: 2}


@timeless
async def test_what_another_owner_has_stored_ahead_of_us_does_not_keep_a_writer_from_settling() -> None:
    kit = Kit()
    async with kit.running(0):
        await window_of_another_owner(kit, through_offset=50)
        kit.mailbox.put(*clicks(0, 1, 2))
        await kit.writer.settle()
    assert kit.committed == {}
