import asyncio

from contract.hour import HOUR_MS
from contract.log.record import Record
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import HOUR, click, record
from support.fixtures.writer import A_LONG_TIME, INTERVAL, WriterFixture, clicks, window_of_another_owner


@timeless
async def test_reading_stops_at_twice_the_flush_lines_while_a_flush_hangs() -> None:
    fixture = WriterFixture(flush_lines=10)
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        fixture.mailbox.put(*clicks(*range(1, 101)))
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.writer.unflushed_lines == 20
        fixture.journal.let("progress")
        await fixture.writer.settle()
    assert fixture.clicks() == 101


@timeless
async def test_what_a_flush_has_taken_no_longer_stops_the_reading() -> None:
    fixture = WriterFixture(flush_lines=10)
    async with fixture.running(0):
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(*range(100)))
        await asyncio.sleep(A_LONG_TIME)
        assert len(fixture.store.actions) == 20
        assert fixture.writer.unflushed_lines == 20
        fixture.journal.let("progress")
        await fixture.writer.settle()
    assert fixture.clicks() == 100


@timeless
async def test_reading_does_not_stop_where_no_flush_may_end_yet() -> None:
    """Else nothing would ever move: the window of another owner is reached by reading on only."""
    fixture = WriterFixture(flush_lines=2)
    async with fixture.running(0):
        await window_of_another_owner(fixture, through_offset=50)
        fixture.mailbox.put(*clicks(*range(50)))
        await fixture.writer.settle()
        assert fixture.committed == {}
        fixture.mailbox.put(*clicks(50, 51))
        await fixture.writer.settle()
    assert fixture.committed == {0: 52}
    assert fixture.clicks() == 52


@timeless
async def test_a_partition_that_may_not_flush_yet_does_not_stop_the_others() -> None:
    fixture = WriterFixture(flush_lines=2)
    async with fixture.running(0, 1):
        await window_of_another_owner(fixture, through_offset=50)
        for offset in range(20):
            fixture.mailbox.put(*clicks(offset), *clicks(offset, partition=1))
        await fixture.writer.settle()
    assert fixture.clicks(1) == 20
    assert fixture.committed == {1: 20}


def of_hours(offset: int, *hours: int) -> Record:
    """A record of one click in each of these hours, counted back from HOUR."""
    return record(offset, *(click("ada", hour=HOUR - ago * HOUR_MS) for ago in hours))


@timeless
async def test_very_many_windows_begin_a_flush_before_its_time() -> None:
    fixture = WriterFixture(flush_windows=10)
    async with fixture.running(0):
        fixture.mailbox.put(of_hours(0, *range(9)))
        await asyncio.sleep(INTERVAL / 8)
        assert fixture.store.windows == {}
        fixture.mailbox.put(of_hours(1, 9))
        await asyncio.sleep(INTERVAL / 8)
        assert len(fixture.store.windows) == 10


@timeless
async def test_reading_stops_at_twice_as_many_windows_as_begin_a_flush_while_one_hangs() -> None:
    fixture = WriterFixture(flush_windows=10)
    async with fixture.running(0):
        fixture.journal.hold("progress")
        for offset in range(100):
            fixture.mailbox.put(of_hours(offset, offset))
            await asyncio.sleep(INTERVAL)
        # Those of the first flush, which hangs, and those that wait.
        assert fixture.writer.unflushed_lines == 20
        fixture.journal.let("progress")
        await fixture.writer.settle()
    assert len({hour for _, hour, _ in fixture.store.windows}) == 100
