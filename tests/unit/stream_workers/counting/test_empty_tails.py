"""Offsets at a partition's end that hold no record: markers of transactions, records of aborted ones."""

import asyncio
from itertools import pairwise

import pytest

from contract.errors import LogNotRetained, LogUnavailable
from contract.log.progress import Progress
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import HOUR, SOURCE, click, quiet, record
from support.fixtures.writer import (
    A_LONG_TIME,
    GENERATION,
    WriterFixture,
    clicks,
    window_of_another_owner,
)


def through(fixture: WriterFixture, partition: int = 0) -> int:
    stored = fixture.store.stored(SOURCE._replace(partition=partition))
    return -1 if stored is None else stored.through_offset


@timeless
async def test_progress_and_commits_move_over_offsets_that_hold_no_record() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.mailbox.put(*clicks(0, 1))
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.store.stored() == Progress(3, lines=2, watermark=HOUR + 1, mark=None)
        assert fixture.committed == {0: 4}
        assert fixture.clicks() == 2
    assert fixture.past.asked == [(0, 2, 4)]


@timeless
async def test_a_partition_that_never_had_a_record_is_counted_too() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 7}
        await asyncio.sleep(A_LONG_TIME)
    assert fixture.store.stored() == Progress(6)


@timeless
async def test_what_follows_on_such_offsets_is_counted_and_is_no_gap() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        fixture.mailbox.put(*clicks(4))
        await fixture.writer.settle()
    assert (through(fixture), fixture.clicks()) == (4, 2)


@timeless
async def test_offsets_that_hold_a_record_are_not_passed_over() -> None:
    fixture = WriterFixture()
    fixture.past.records = clicks(2)
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert through(fixture) == 0
        fixture.holes = {(0, 1, 2)}
        fixture.mailbox.put(*clicks(2))
        await asyncio.sleep(A_LONG_TIME)
    assert (through(fixture), fixture.clicks()) == (3, 2)


@timeless
async def test_an_open_transaction_holds_progress_back_and_the_log_is_not_asked() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 1}
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
    assert through(fixture) == 0
    assert fixture.past.asked == []


@timeless
async def test_a_partition_that_moves_on_is_not_asked_about() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        for offset in range(50):
            fixture.stable_ends = {0: offset + 3}
            fixture.mailbox.put(*clicks(offset))
            await asyncio.sleep(0.7)
    assert fixture.past.asked == []


@timeless
async def test_a_partition_whose_lines_wait_for_the_store_is_not_asked_about() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.journal.hold("progress")
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.past.asked == []
        fixture.journal.let("progress")
        await asyncio.sleep(A_LONG_TIME)
    assert through(fixture) == 3


@timeless
async def test_one_busy_partition_does_not_keep_the_others_from_moving_on() -> None:
    fixture = WriterFixture()
    async with fixture.running(0, 1):
        fixture.stable_ends = {0: 100, 1: 4}
        fixture.mailbox.put(*clicks(0, partition=1))
        for offset in range(20):
            fixture.mailbox.put(*clicks(offset))
            await asyncio.sleep(0.7)
        assert through(fixture, partition=1) == 3
    assert {asked[0] for asked in fixture.past.asked} == {1}


@timeless
async def test_an_answer_that_comes_once_more_was_folded_moves_nothing() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.mailbox.put(*clicks(0))
        fixture.past.let.clear()
        await asyncio.sleep(A_LONG_TIME)
        fixture.holes = {(0, 1, 4)}
        fixture.stable_ends = {0: 6}
        fixture.mailbox.put(*clicks(4, 5))
        await fixture.writer.settle()
        fixture.past.let.set()
        await asyncio.sleep(A_LONG_TIME)
    assert (through(fixture), fixture.clicks()) == (5, 3)


@timeless
async def test_an_answer_that_was_asked_for_an_earlier_assignment_moves_nothing() -> None:
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        fixture.past.let.clear()
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.past.asked == [(0, 0, 4)]
        await fixture.writer.release(A_LONG_TIME)
        fixture.stable_ends = {}
        await fixture.acquire()
        fixture.past.let.set()
        await asyncio.sleep(A_LONG_TIME)
    assert fixture.store.stored() is None


@timeless
async def test_a_question_under_way_holds_up_neither_a_drain_nor_a_release() -> None:
    fixture = WriterFixture()
    async with fixture.running(0) as task:
        fixture.stable_ends = {0: 4}
        fixture.past.let.clear()
        fixture.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert fixture.past.asked
        began = asyncio.get_running_loop().time()
        fixture.mailbox.put(*clicks(1))
        await fixture.writer.settle()
        await fixture.writer.release(A_LONG_TIME)
        fixture.mailbox.end()
        await quiet()
        assert task.done()
        assert asyncio.get_running_loop().time() == began
    assert through(fixture) == 1


@pytest.mark.parametrize("error", [LogUnavailable("away"), LogNotRetained("gone")])
@timeless
async def test_a_log_that_does_not_answer_is_asked_again(error: Exception) -> None:
    fixture = WriterFixture()
    fixture.past.failures = [error] * 4
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        await asyncio.sleep(A_LONG_TIME)
    assert through(fixture) == 3


@timeless
async def test_while_the_answer_stays_no_it_is_asked_for_ever_more_rarely() -> None:
    """As where a record waits for a store that is away."""
    fixture, asked_at = WriterFixture(), []
    fixture.past.records = clicks(2)
    async with fixture.running(0):
        fixture.stable_ends = {0: 4}
        for _ in range(300):
            before = len(fixture.past.asked)
            await asyncio.sleep(1)
            asked_at += [asyncio.get_running_loop().time()] * (len(fixture.past.asked) - before)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:6] == [2, 4, 8, 16, 30, 30]
    assert set(pauses[6:]) == {30}


@timeless
async def test_a_worker_behind_another_owners_window_gets_past_it_over_offsets_without_records() -> None:
    """No flush ends below that window's offset, and no record will ever come to reach it."""
    fixture = WriterFixture()
    async with fixture.running(0):
        await window_of_another_owner(fixture, through_offset=2)
        fixture.stable_ends = {0: 4}
        fixture.mailbox.put(record(0, click("ada")), record(1, click("ada")))
        await asyncio.sleep(A_LONG_TIME)
    assert (through(fixture), fixture.committed) == (3, {0: 4})
    assert fixture.assignment.states[0].generation == GENERATION
    assert fixture.clicks() == 3  # as the other owner counted up to 2
