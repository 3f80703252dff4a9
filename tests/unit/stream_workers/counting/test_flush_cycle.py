"""What a flush tells the metrics of its lines."""

import asyncio

from stream_workers.metrics import LISTED
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import click, record, record_of
from support.fixtures.writer import WriterFixture


def lines() -> dict[str, float]:
    return {
        outcome: LISTED.registry.get_sample_value("collector_worker_lines_total", {"outcome": outcome}) or 0
        for outcome in ("counted", "duplicate", "rejected")
    }


@timeless
async def test_each_stored_line_is_told_once_by_what_became_of_it() -> None:
    fixture, before = WriterFixture(), lines()
    async with fixture.running(0):
        fixture.mailbox.put(record(0, click("ada", action_id="1"), click("ada", action_id="2"), click("bob")))
        await fixture.writer.settle()
        await asyncio.sleep(1)
        fixture.mailbox.put(record(1, click("ada", action_id="1"), click("ada", action_id="3")), record_of(2, b"{}\n"))
        await fixture.writer.settle()
    after = lines()

    assert {outcome: after[outcome] - before[outcome] for outcome in after} == {
        "counted": 4,
        "duplicate": 1,
        "rejected": 1,
    }


@timeless
async def test_duplicates_of_a_window_that_was_loaded_are_not_told_again() -> None:
    first = WriterFixture()
    async with first.running(0):
        first.mailbox.put(record(0, click("ada", action_id="1"), click("ada", action_id="1")))
        await first.writer.settle()
    second, before = WriterFixture(), lines()
    second.store.windows.update(first.store.windows)
    second.store.segments.update(first.store.segments)
    second.store.progress.update(first.store.progress)
    async with second.running(0):
        second.mailbox.put(record(1, click("ada", action_id="1"), click("ada")))
        await second.writer.settle()

    assert lines()["duplicate"] - before["duplicate"] == 1
