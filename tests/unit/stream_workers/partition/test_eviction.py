import random

import msgspec
import pytest

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from stream_workers.metrics import LISTED
from stream_workers.partition.eviction import evict
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import BYTES_PER_WINDOW
from support.fixtures.worker import HOUR, SOURCE, PastLog, WatchedStore, click, numbered_slots, record

EVERYTHING = 0
HOURS = [HOUR - ago * HOUR_MS for ago in range(4)]


async def state_with(*hours: int, partition: int = 0, first: int = 0) -> PartitionState:
    """A state that folded one record an hour, in this order, and committed all of it."""
    state = PartitionState(LogPartition(SOURCE.log, partition), Progress(), numbered_slots(), PastLog())
    for offset, hour in enumerate(hours, first):
        await state.fold(record(offset, click("ada", hour=hour), partition=partition), WatchedStore())
    commit(state)
    return state


def commit(state: PartitionState) -> None:
    flush = state.snapshot()
    assert flush is not None
    state.committed(flush)


def metric(name: str) -> float:
    return LISTED.registry.get_sample_value(name) or 0


def size(*states: PartitionState) -> int:
    return sum(BYTES_PER_WINDOW + slot.window.size for state in states for slot in state.windows.values())


async def test_nothing_is_evicted_within_the_budget() -> None:
    state = await state_with(*HOURS)
    evict([state], size(state))
    assert sorted(state.windows) == sorted(HOURS)


async def test_the_least_recently_used_windows_go_until_the_rest_fits() -> None:
    state = await state_with(*HOURS)
    evict([state], size(state) - 1)
    assert HOURS[0] not in state.windows
    assert len(state.windows) == 3
    evict([state], 2 * BYTES_PER_WINDOW)
    assert list(state.windows) == [HOURS[3]]


async def test_use_counts_not_the_windows_own_hour() -> None:
    state = await state_with(*HOURS)
    await state.fold(record(9, click("ada", hour=HOURS[0])), WatchedStore())
    commit(state)
    evict([state], size(state) - 1)
    assert HOURS[1] not in state.windows
    assert HOURS[0] in state.windows


async def test_the_windows_of_all_partitions_share_the_budget() -> None:
    older, newer = await state_with(*HOURS[:2]), await state_with(*HOURS[:2], partition=1, first=100)
    evict([older, newer], size(older, newer) * 3 // 5)
    assert (len(older.windows), len(newer.windows)) == (0, 2)


async def test_a_partition_with_low_offsets_is_not_taken_for_one_that_was_used_long_ago() -> None:
    older, newer = (
        await state_with(HOURS[0], first=1_000),
        PartitionState(SOURCE, Progress(), numbered_slots(), PastLog()),
    )
    long_after = record(0, click("ada", hour=HOURS[1]))
    later = msgspec.structs.replace(long_after, timestamp=HOUR + 10**6)
    await newer.fold(later, WatchedStore())
    commit(newer)
    evict([older, newer], size(older, newer) - 1)
    assert (len(older.windows), len(newer.windows)) == (0, 1)


async def test_windows_that_are_not_committed_stay_whatever_they_take() -> None:
    state = await state_with(*HOURS[:2])
    await state.fold(record(9, click("bob", hour=HOURS[3])), WatchedStore())
    evict([state], EVERYTHING)
    assert list(state.windows) == [HOURS[3]]


async def test_windows_in_a_flush_under_way_stay() -> None:
    state = await state_with(HOURS[0])
    await state.fold(record(9, click("bob", hour=HOURS[3])), WatchedStore())
    assert state.snapshot() is not None
    evict([state], EVERYTHING)
    assert list(state.windows) == [HOURS[3]]


async def test_a_window_takes_more_with_each_hash_that_it_holds() -> None:
    state = await state_with(HOUR)
    small = size(state)
    await state.fold(record(1, *(click(f"user-{number}") for number in range(500))), WatchedStore())
    commit(state)
    assert size(state) >= small + 500 * 8


async def test_an_eighth_of_the_budget_is_made_free_at_once() -> None:
    state = await state_with(*(HOUR - ago * HOUR_MS for ago in range(80)))
    before = size(state)
    evict([state], before)
    assert len(state.windows) == 80
    evict([state], before - 1)
    assert before * 13 // 16 < size(state) <= before * 7 // 8


@pytest.mark.parametrize("seed", range(20))
async def test_what_all_windows_take_is_known_without_asking_each(seed: int) -> None:
    rng, store = random.Random(seed), WatchedStore()
    state = PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
    for offset in range(60):
        users = [click(f"user-{rng.randrange(400)}", hour=rng.choice(HOURS)) for _ in range(rng.randrange(1, 60))]
        await state.fold(record(offset, *users), store)
        if rng.random() < 0.5 and (flush := state.snapshot()) is not None:
            await store.write_windows(flush.window_points(), flush.segments)
            store.progress[SOURCE, HOUR, 0] = flush.progress
            state.committed(flush)
            assert state.table.size == size(state)
            assert state.table.hashes == sum(slot.window.hashes for slot in state.windows.values())
            evict([state], rng.choice([EVERYTHING, size(state) - 1, 10**9]))
            assert state.table.size == size(state)


async def test_an_evicted_window_comes_back_from_the_store_and_counts_on() -> None:
    store, state = WatchedStore(), PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
    for offset in range(3):
        await state.fold(record(offset, click("ada", action_id="x"), click(f"user-{offset}")), store)
        flush = state.snapshot()
        assert flush is not None
        await store.write_windows(flush.window_points(), flush.segments)
        state.committed(flush)
        store.progress[SOURCE, HOUR, 0] = flush.progress
        evict([state], EVERYTHING)
        assert state.windows == {}
    value = max(store.windows.values(), key=lambda value: value.through_offset)
    assert (value.counts, value.duplicates, value.unique_users) == ({"click": 4}, 2, 4)


@pytest.mark.parametrize(("budget", "evicted"), [(10**9, 0), (EVERYTHING, 2)])
async def test_what_is_held_and_what_was_evicted_is_told(budget: int, evicted: int) -> None:
    state = await state_with(*HOURS[:2])
    before = metric("collector_worker_evicted_windows_total")
    evict([state], budget)
    assert metric("collector_worker_evicted_windows_total") - before == evicted
    assert metric("collector_worker_windows") == 2 - evicted
    assert metric("collector_worker_hashes") == 2 - evicted
