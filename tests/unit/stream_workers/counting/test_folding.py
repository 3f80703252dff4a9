"""Windows that waiting records need are loaded together, before their turn."""

from collections import Counter

from contract.progress import Progress
from contract.store import ProgressPoint, WindowPoint
from contract.window_value import WindowValue
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

    hours = state.decode_ahead(waiting)
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

    assert state.decode_ahead([record(1, click("bob"))]) == set()
    assert store.journal.begun == []


async def test_records_that_were_folded_already_ask_for_nothing() -> None:
    state = PartitionState(SOURCE, Progress(through_offset=7), numbered_slots(), PastLog())

    assert state.decode_ahead([record(7, click("ada"))]) == set()


async def test_what_was_loaded_ahead_and_evicted_is_loaded_again() -> None:
    store, state = WatchedStore(), PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
    one = record(0, click("ada"))
    await state.load(state.decode_ahead([one]), store)
    for slot in state.evictable():
        del state.windows[slot.hour]

    await state.fold(one, store)

    assert state.windows.keys() == {HOUR}
