"""Windows that waiting records need are loaded together, before their turn."""

from collections import Counter

import pytest

from contract.log.progress import Progress
from contract.store import ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stream_workers.counting import folding
from stream_workers.partition.state import PartitionState
from support.fixtures.partition_state import HOUR, SOURCE
from support.fixtures.worker import HOUR_MS, PastLog, WatchedStore, click, numbered_slots, record
from support.fixtures.writer import WriterFixture, quiet

HOURS = [HOUR - back * HOUR_MS for back in range(5)]


async def test_windows_of_all_waiting_records_are_asked_for_before_the_first_is_counted() -> None:
    fixture = WriterFixture()
    async with fixture.running(0, 1):
        fixture.journal.hold("read windows")
        for partition in (0, 1):
            fixture.mailbox.put(
                *(record(at, click("ada", hour=hour), partition=partition) for at, hour in enumerate(HOURS))
            )
        fixture.journal.begun.clear()
        await quiet()

        assert Counter(fixture.journal.begun)["read windows"] == 2

        fixture.journal.let("read windows")
        await quiet()
        assert Counter(fixture.journal.begun)["read progress"] == 2 * 2
        assert Counter(fixture.journal.begun)["read windows"] == 2


async def test_a_window_loaded_ahead_counts_on_from_what_is_committed() -> None:
    store = WatchedStore()
    await store.write_windows([WindowPoint(SOURCE, HOUR, 1, WindowValue(4, {"click": 3}, 0, 1, 8, 8))], [])
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(4))])
    state = PartitionState(SOURCE, Progress(4), numbered_slots(), PastLog())
    waiting = [record(5, click("ada")), record(6, click("bob"))]

    hours = {hour for one in waiting for hour in state.decode_ahead(one)}
    await state.load(hours, store)
    for one in waiting:
        await state.fold(one, store)

    assert hours == {HOUR}
    flush = state.snapshot()
    assert flush is not None
    assert [value.counts for _, value in flush.windows] == [{"click": 5}]


async def test_a_window_that_is_in_memory_is_not_loaded_again() -> None:
    store, state = WatchedStore(), PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
    await state.fold(record(0, click("ada")), store)
    store.journal.begun.clear()

    await state.load({HOUR}, store)

    assert set(state.decode_ahead(record(1, click("bob")))) == {HOUR}
    assert store.journal.begun == []


async def test_records_that_were_folded_already_ask_for_nothing() -> None:
    state = PartitionState(SOURCE, Progress(through_offset=7), numbered_slots(), PastLog())

    assert set(state.decode_ahead(record(7, click("ada")))) == set()


async def test_what_was_loaded_ahead_and_evicted_is_loaded_again() -> None:
    store, state = WatchedStore(), PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
    one = record(0, click("ada"))
    await state.load(state.decode_ahead(one), store)
    for slot in state.evictable():
        state.table.drop(slot)

    await state.fold(one, store)

    assert state.windows.keys() == {HOUR}


async def test_of_records_of_very_many_hours_the_first_are_counted_before_others_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folding, "HOURS_AT_ONCE", 3)
    fixture = WriterFixture()
    async with fixture.running(0):
        fixture.journal.hold("read windows")
        # So far apart that the last ones are not read with the first.
        hours = [HOUR - ago * HOUR_MS for ago in (0, 100, 200, 1_000, 1_100)]
        old = [record(at, click("ada", hour=hour)) for at, hour in enumerate(hours)]
        fixture.mailbox.put(*old, record(len(old), click("ada")))
        await quiet()
        fixture.journal.let("read windows")
        fixture.journal.hold("read windows")
        await quiet()

        assert fixture.assignment.states[0].folded == 2

        fixture.journal.let("read windows")
        await quiet()
        assert fixture.assignment.states[0].folded == len(old)
