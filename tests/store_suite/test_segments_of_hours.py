"""The segments of many hours at once are those that each hour has by itself, whatever lies between these hours."""

import random

import pytest

from contract.hour import HOUR_MS
from contract.store import SegmentPoint, Store
from contract.windows.hashes import pack_hashes
from contract.windows.segment import MAX_SEGMENT_HASHES, Segment, cut_segments
from contract.windows.window_value import WindowValue
from support.stores.committing import NOVEMBER, OTHER, SOURCE


def quiet(through_offset: int, users: int = 1, **others: int) -> WindowValue:
    return WindowValue(through_offset, {"click": users}, 0, users, 1, 1, **others)


async def put(store: Store, hour: int, *segments: Segment) -> None:
    await store.write_windows([], [SegmentPoint(SOURCE, hour, segment) for segment in segments])


async def both_ways(store: Store, windows: dict[int, WindowValue]) -> tuple[dict[int, list[Segment]], ...]:
    together = await store.read_segments_of_hours(SOURCE, windows)
    alone = {hour: await store.read_segments(hour, SOURCE, window) for hour, window in windows.items()}
    return {hour: sorted(found) for hour, found in together.items()}, {hour: sorted(alone[hour]) for hour in alone}


@pytest.mark.parametrize("seed", range(5))
async def test_together_they_are_what_each_hour_has_alone(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    hours = sorted(rng.sample([NOVEMBER + ahead * HOUR_MS for ahead in range(-60, 60)], 30))
    windows = {}
    for hour in hours:
        value = quiet(
            rng.randrange(3, 9),
            rng.choice([1, 2, 3, 300]),
            generation=rng.choice([0, 0, 0, 7]),
            full_through=rng.choice([-1, -1, -1, 2]),
        )
        for offset in range(1, 12):
            # Also of a later attempt, of a rebuild, and from before what a full segment holds.
            generation, full = rng.choice([0, value.generation]), rng.choice([False, False, True])
            one = Segment(offset, pack_hashes([rng.randrange(2**63)]), b"", generation=generation, full=full)
            await put(store, hour, one)
        if rng.random() < 0.8:
            windows[hour] = value
    windows[NOVEMBER + 500 * HOUR_MS] = quiet(5)
    windows[NOVEMBER + 501 * HOUR_MS] = WindowValue()

    together, alone = await both_ways(store, windows)

    assert together == alone
    assert any(together.values())


async def test_busy_hours_in_between_that_nobody_asked_for_change_nothing(store: Store) -> None:
    windows = {}
    for ahead in range(40):
        hour = NOVEMBER + ahead * HOUR_MS
        await put(store, hour, Segment(3, pack_hashes([ahead]), b""))
        windows[hour] = quiet(3)
    users = range(MAX_SEGMENT_HASHES)
    for busy in (NOVEMBER + 3 * HOUR_MS, NOVEMBER + 20 * HOUR_MS):
        del windows[busy]
        for offset in range(10, 40):
            await put(store, busy, *cut_segments(offset, users, []))

    together, alone = await both_ways(store, windows)

    assert together == alone
    assert [len(found) for found in together.values()] == [1] * 38


async def test_hours_between_more_busy_ones_than_are_passed_over_are_read_one_by_one(store: Store) -> None:
    windows = {}
    users = range(MAX_SEGMENT_HASHES)
    for ahead in range(0, 24, 2):
        hour = NOVEMBER + ahead * HOUR_MS
        await put(store, hour, Segment(3, pack_hashes([ahead]), b""))
        windows[hour] = quiet(3)
        for offset in range(10, 34):
            await put(store, hour + HOUR_MS, *cut_segments(offset, users, []))

    together, alone = await both_ways(store, windows)

    assert together == alone
    assert [len(found) for found in together.values()] == [1] * 12


async def test_another_sources_segments_are_not_among_them(store: Store) -> None:
    hours = [NOVEMBER, NOVEMBER + HOUR_MS]
    await put(store, NOVEMBER, Segment(3, pack_hashes([1]), b""))
    await store.write_windows([], [SegmentPoint(OTHER, hour, Segment(3, pack_hashes([2]), b"")) for hour in hours])
    found = await store.read_segments_of_hours(SOURCE, dict.fromkeys(hours, quiet(3)))
    assert found == {NOVEMBER: [Segment(3, pack_hashes([1]), b"")], NOVEMBER + HOUR_MS: []}
