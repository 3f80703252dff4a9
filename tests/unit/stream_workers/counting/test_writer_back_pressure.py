import asyncio

from support.fixtures.virtual_clock import timeless
from support.fixtures.writer import A_LONG_TIME, INTERVAL, Kit, clicks, window_of_another_owner


@timeless
async def test_reading_stops_at_twice_the_flush_lines_while_a_flush_hangs() -> None:
    kit = Kit(flush_lines=10)
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.put(*clicks(*range(1, 101)))
        await asyncio.sleep(A_LONG_TIME)
        assert kit.writer.unflushed_lines == 20
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 101


@timeless
async def test_what_a_flush_has_taken_no_longer_stops_the_reading() -> None:
    kit = Kit(flush_lines=10)
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(*range(100)))
        await asyncio.sleep(A_LONG_TIME)
        assert len(kit.store.actions) == 20
        assert kit.writer.unflushed_lines == 20
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 100


@timeless
async def test_reading_does_not_stop_where_no_flush_may_end_yet() -> None:
    """Else nothing would ever move: the window of another owner is reached by reading on only."""
    kit = Kit(flush_lines=2)
    async with kit.running(0):
        await window_of_another_owner(kit, through_offset=50)
        kit.mailbox.put(*clicks(*range(50)))
        await kit.writer.settle()
        assert kit.committed == {}
        kit.mailbox.put(*clicks(50, 51))
        await kit.writer.settle()
    assert kit.committed == {0: 52}
    assert kit.clicks() == 52


@timeless
async def test_a_partition_that_may_not_flush_yet_does_not_stop_the_others() -> None:
    kit = Kit(flush_lines=2)
    async with kit.running(0, 1):
        await window_of_another_owner(kit, through_offset=50)
        for offset in range(20):
            kit.mailbox.put(*clicks(offset), *clicks(offset, partition=1))
        await kit.writer.settle()
    assert kit.clicks(1) == 20
    assert kit.committed == {1: 20}
