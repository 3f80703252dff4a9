"""What was read of hours is not asked for again, and never takes the place of what was counted since."""

import random
from collections import Counter

from contract.hour import HOUR_MS
from contract.log.progress import Progress
from contract.store import ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stream_workers.partition.eviction import evict
from stream_workers.partition.known_values import KnownValues
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import WindowTable
from support.fixtures.partition_state import flushed, new_state, values
from support.fixtures.worker import HOUR, SOURCE, WatchedStore, click, numbered_slots, record


def asked(store: WatchedStore) -> Counter[str]:
    """What the store was asked since it was asked last."""
    begun = Counter(store.journal.begun)
    store.journal.begun.clear()
    return begun


async def store_of(hours: int) -> WatchedStore:
    """It holds a window with three clicks of each of so many hours."""
    store = WatchedStore()
    stored = WindowValue(4, {"click": 3}, 0, 1, 8, 8)
    await store.write_windows([WindowPoint(SOURCE, HOUR - ago * HOUR_MS, 1, stored) for ago in range(hours)], [])
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(4))])
    store.journal.begun.clear()
    return store


async def commit(state: PartitionState, store: WatchedStore) -> None:
    """Stores what was folded."""
    flush = flushed(state)
    await store.write_windows(flush.window_points(), flush.segments)
    await store.write_progress([ProgressPoint(SOURCE, state.progress_slot, flush.progress)])
    state.committed(flush)


async def test_loads_bit_by_bit_read_what_lies_between_the_hours_once() -> None:
    store, table = await store_of(10_000), WindowTable(SOURCE, numbered_slots())
    chance = random.Random(3)
    for _ in range(100):
        await table.load([HOUR - chance.randrange(10_000) * HOUR_MS for _ in range(60)], store)

    begun = asked(store)

    # Each span of 64 hours at most once.
    assert begun["read windows"] <= 10_000 // 64 + 2
    assert begun["read progress"] < 40
    assert {slot.window.value.counts["click"] for slot in table.windows.values()} == {3}


async def test_hours_without_an_action_need_no_request_once_those_around_them_were_read() -> None:
    store, table = WatchedStore(), WindowTable(SOURCE, numbered_slots())
    await table.load([HOUR - 9_000 * HOUR_MS, *(HOUR - ago * HOUR_MS for ago in range(0, 9_000, 150))], store)
    asked(store)

    await table.load([HOUR - ago * HOUR_MS for ago in range(9_000)], store)

    assert not asked(store)
    assert len(table.windows) == 9_001


async def test_an_evicted_window_is_counted_on_from_its_last_value_which_is_not_read_again() -> None:
    held, state = WatchedStore(), new_state()
    for offset in range(4):
        await state.fold(record(offset, click("ada"), click(f"user-{offset}")), held)
        await commit(state, held)
        for slot in state.evictable():
            state.table.drop(slot)
    asked(held)

    await state.fold(record(9, click("bob")), held)

    assert asked(held) == Counter({"read segments": 1})
    assert values(flushed(state))[HOUR] == WindowValue(9, {"click": 9}, 0, 6, 8, 8)


async def test_what_was_read_before_an_hour_was_counted_on_is_not_remembered() -> None:
    older, newer = WindowValue(4, {"click": 3}), WindowValue(9, {"click": 5})
    known = KnownValues()
    known.begin_reading()
    known.put(HOUR, newer)
    known.forget()

    known.learn({HOUR: older, HOUR - HOUR_MS: older}, resident={})

    assert HOUR not in known
    assert known[HOUR - HOUR_MS] == older


async def test_what_is_read_of_hours_in_memory_is_not_remembered() -> None:
    known = KnownValues()
    known.begin_reading()

    known.learn({HOUR: WindowValue(4, {"click": 3})}, resident={HOUR: None})

    assert HOUR not in known
    assert known.size == 0


async def test_what_is_known_is_forgotten_once_it_takes_more_than_its_share() -> None:
    store, state = await store_of(64), new_state()
    await state.load([HOUR], store)
    assert state.table.known.size > 0

    evict([state], 8 * state.table.known.size)
    assert HOUR - HOUR_MS in state.table.known

    evict([state], 8 * state.table.known.size - 8)
    assert HOUR - HOUR_MS not in state.table.known
    assert state.table.known.size == 0


async def test_a_rebuild_forgets_what_is_known_of_other_hours() -> None:
    store, table = await store_of(64), WindowTable(SOURCE, numbered_slots())
    await table.load([HOUR], store)

    table.replace({}, used=0)

    assert HOUR - HOUR_MS not in table.known


async def test_a_value_that_is_known_bounds_where_a_flush_may_end_only_once_it_is_counted_on() -> None:
    held, state = await store_of(64), new_state()
    await state.load([HOUR - 63 * HOUR_MS], held)
    state.table.must_reach = -1

    await state.fold(record(2, click("ada")), held)

    assert not state.may_flush
