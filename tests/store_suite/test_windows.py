"""What every store promises of windows and segments."""

import random

import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition
from contract.store import SLOTS, SegmentPoint, Store, WindowPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import MAX_SEGMENT_HASHES, Segment, cut_segments
from contract.windows.window_value import WindowValue

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
OTHER_PARTITION = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 30)
OTHER_LOG = LogPartition("-_Tz1x8yQ4u0sK0XfJ2c9A", 3)
NOVEMBER = 494_902 * HOUR_MS
HOURS = [0, NOVEMBER, END_OF_TIME_MS - HOUR_MS]
VALUE = WindowValue(10, {"click": 3, "impression": 4}, 1, 5, 8, 8)


def segment(through_offset: int, *users: int, ids: tuple[int, ...] = (), part: int = 0, parts: int = 1) -> Segment:
    return Segment(through_offset, pack_hashes(users), pack_hashes(ids), part, parts)


async def put(store: Store, *segments: Segment, source: LogPartition = SOURCE, hour: int = NOVEMBER) -> None:
    await store.write_windows([], [SegmentPoint(source, hour, one) for one in segments])


async def test_an_empty_store_has_neither(store: Store) -> None:
    assert await store.read_windows(NOVEMBER) == []
    assert await store.read_windows(NOVEMBER, SOURCE) == []
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10**12)) == []


@pytest.mark.parametrize(
    "value",
    [
        WindowValue(),
        VALUE,
        WindowValue(10**12, {"e": 1, "a_0123456789_bcdefghijklmnopqrst": 10**15}, 10**12, 10**12, 0, 100_000),
        WindowValue(1, {f"event_{number}": number for number in range(3_000)}),
    ],
    ids=["empty", "usual", "large-numbers", "thousands-of-events"],
)
async def test_a_window_comes_back_as_it_was_written(store: Store, value: WindowValue) -> None:
    points = [WindowPoint(SOURCE, hour, slot, value) for hour in HOURS for slot in (0, SLOTS - 1)]
    await store.write_windows(points, [])
    for hour in HOURS:
        own = [point for point in points if point.hour == hour]
        assert sorted(await store.read_windows(hour), key=points.index) == own
        assert sorted(await store.read_windows(hour, SOURCE), key=points.index) == own


async def test_all_slots_of_an_hour_are_read_for_all_sources_or_for_one(store: Store) -> None:
    points = [
        WindowPoint(source, NOVEMBER, slot, WindowValue(slot))
        for source in (SOURCE, OTHER_PARTITION, OTHER_LOG)
        for slot in (0, 1, SLOTS - 1)
    ]
    await store.write_windows(points, [])
    assert sorted(await store.read_windows(NOVEMBER), key=points.index) == points
    for source in (SOURCE, OTHER_PARTITION, OTHER_LOG):
        own = [point for point in points if point.source == source]
        assert sorted(await store.read_windows(NOVEMBER, source), key=points.index) == own


async def test_the_hours_before_and_after_are_not_read(store: Store) -> None:
    before = WindowPoint(SOURCE, NOVEMBER - HOUR_MS, SLOTS - 1, VALUE)
    after = WindowPoint(SOURCE, NOVEMBER + HOUR_MS, 0, VALUE)
    await store.write_windows([before, after], [])
    assert await store.read_windows(NOVEMBER) == []


async def test_a_window_replaces_what_its_slot_held(store: Store) -> None:
    later = WindowPoint(SOURCE, NOVEMBER, 5, WindowValue(11, {"click": 4}, 0, 6, 8, 8))
    other = WindowPoint(SOURCE, NOVEMBER, 6, VALUE)
    await store.write_windows([WindowPoint(SOURCE, NOVEMBER, 5, VALUE), other], [])
    await store.write_windows([later], [])
    assert sorted(await store.read_windows(NOVEMBER)) == [later, other]


async def test_a_write_may_be_repeated(store: Store) -> None:
    windows, segments = [WindowPoint(SOURCE, NOVEMBER, 5, VALUE)], [SegmentPoint(SOURCE, NOVEMBER, segment(10, 1, 2))]
    for _ in range(3):
        await store.write_windows(windows, segments)
    assert await store.read_windows(NOVEMBER) == windows
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10)) == [segment(10, 1, 2)]


async def test_no_number_of_slots_is_too_many(store: Store) -> None:
    slots = 25_000
    await store.write_windows([WindowPoint(SOURCE, NOVEMBER, slot, VALUE) for slot in range(slots)], [])
    assert {point.slot for point in await store.read_windows(NOVEMBER)} == set(range(slots))


async def test_windows_of_many_hours_are_read_at_once_for_all_sources_or_for_one(store: Store) -> None:
    points = [
        WindowPoint(source, hour, slot, WindowValue(slot))
        for source in (SOURCE, OTHER_LOG)
        for hour in (0, NOVEMBER - HOUR_MS, NOVEMBER, NOVEMBER + HOUR_MS, END_OF_TIME_MS - HOUR_MS)
        for slot in (0, SLOTS - 1)
    ]
    await store.write_windows(points, [])
    assert sorted(await store.read_windows_between(0, END_OF_TIME_MS)) == sorted(points)
    assert await store.read_windows_between(NOVEMBER, NOVEMBER) == []
    for first, end in [(0, END_OF_TIME_MS), (NOVEMBER, NOVEMBER + HOUR_MS), (HOUR_MS, NOVEMBER + HOUR_MS)]:
        own = [point for point in points if point.source == SOURCE and first <= point.hour < end]
        assert sorted(await store.read_windows_between(first, end, SOURCE)) == own


async def test_no_number_of_hours_is_too_many(store: Store) -> None:
    hours = range(NOVEMBER, NOVEMBER + 25_000 * HOUR_MS, HOUR_MS)
    await store.write_windows([WindowPoint(SOURCE, hour, 5, VALUE) for hour in hours], [])
    found = await store.read_windows_between(0, END_OF_TIME_MS, SOURCE)
    assert [point.hour for point in sorted(found)] == list(hours)


@pytest.mark.parametrize(
    ("users", "ids"),
    [((1, 2**64 - 1), (0, 5)), ((7,), ()), ((), (7,)), (tuple(range(MAX_SEGMENT_HASHES)), ())],
    ids=["users-and-ids", "users", "ids", "as-many-as-allowed"],
)
async def test_a_segment_comes_back_as_it_was_written(
    store: Store, users: tuple[int, ...], ids: tuple[int, ...]
) -> None:
    segments = [segment(through_offset, *users, ids=ids, part=3, parts=4) for through_offset in (0, 77, 10**12)]
    for hour in HOURS:
        await put(store, *segments, hour=hour)
    for hour in HOURS:
        assert sorted(await store.read_segments(hour, SOURCE, WindowValue(10**12))) == segments


async def test_segments_are_read_up_to_and_including_an_offset(store: Store) -> None:
    early, late, latest = segment(0, 1), segment(10, 2), segment(11, 3)
    await put(store, latest, early, late)
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(-1)) == []
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(9)) == [early]
    assert sorted(await store.read_segments(NOVEMBER, SOURCE, WindowValue(10))) == [early, late]
    assert sorted(await store.read_segments(NOVEMBER, SOURCE, WindowValue(10**12))) == [early, late, latest]


async def test_segments_of_other_sources_and_hours_are_not_read(store: Store) -> None:
    await put(store, segment(10, 1), source=OTHER_PARTITION)
    await put(store, segment(10, 1), source=OTHER_LOG)
    await put(store, segment(10, 1), hour=NOVEMBER - HOUR_MS)
    await put(store, segment(0, 1), hour=NOVEMBER + HOUR_MS)
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10**12)) == []


async def test_the_segments_of_another_generation_are_another_value_s(store: Store) -> None:
    counted, rebuilt, rebuilt_again = (segment(10, 1)._replace(generation=number) for number in (0, 1764, 1765))
    await put(store, counted, rebuilt, rebuilt_again)
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10)) == [counted]
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10, generation=1764)) == [rebuilt]
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10, generation=1766)) == []


@pytest.mark.parametrize("generation", [0, 1764])
async def test_a_full_segment_stands_for_all_that_came_before_it(store: Store, generation: int) -> None:
    early, same, later, latest = (segment(offset, offset)._replace(generation=generation) for offset in (3, 7, 8, 12))
    full, older_full = same._replace(full=True), early._replace(full=True)
    await put(store, early, same, later, latest, full, older_full)

    async def belonging(through_offset: int, full_through: int) -> list[Segment]:
        value = WindowValue(through_offset, generation=generation, full_through=full_through)
        return sorted(await store.read_segments(NOVEMBER, SOURCE, value))

    assert await belonging(12, -1) == [early, same, later, latest]
    assert await belonging(11, 7) == sorted([full, later])
    assert await belonging(7, 7) == [full]
    assert await belonging(12, 3) == sorted([older_full, same, later, latest])


async def test_the_segments_of_many_hours_are_read_at_once(store: Store) -> None:
    """However many hours, and users in them, there are."""
    hours = range(NOVEMBER, NOVEMBER + 120 * HOUR_MS, HOUR_MS)
    few, full = segment(3, 1), segment(5, *range(MAX_SEGMENT_HASHES))._replace(full=True)
    for hour in hours:
        await put(store, few, segment(20, 2), full, hour=hour)
    windows = {hour: WindowValue(10, unique_users=1_000) for hour in hours}
    windows[hours[7]] = WindowValue(10, unique_users=10**6, full_through=5)
    windows[hours[9]] = WindowValue(10, generation=1764)
    windows[hours[11]] = WindowValue()

    found = await store.read_segments_of_hours(SOURCE, windows)

    others = {hours[7]: [full], hours[9]: [], hours[11]: []}
    assert found == {hour: others.get(hour, [few]) for hour in hours}
    assert await store.read_segments_of_hours(SOURCE, {}) == {}


async def test_parts_that_were_cut_otherwise_stand_beside_each_other(store: Store) -> None:
    whole = segment(10, 1, 2, 3)
    halves = [segment(10, 2, part=0, parts=2), segment(10, 1, 3, part=1, parts=2)]
    await put(store, whole, *halves)
    assert sorted(await store.read_segments(NOVEMBER, SOURCE, WindowValue(10))) == sorted([whole, *halves])


@pytest.mark.parametrize(
    "after", [segment(10, 4, ids=(5,)), segment(10, 4), segment(10, ids=(5,))], ids=["both", "users", "ids"]
)
async def test_a_segment_replaces_all_that_its_key_held(store: Store, after: Segment) -> None:
    await put(store, segment(10, 1, 2, ids=(3,)))
    await put(store, after)
    assert await store.read_segments(NOVEMBER, SOURCE, WindowValue(10)) == [after]


async def test_an_hour_with_a_million_users_is_read_whole(store: Store) -> None:
    draw = random.Random(7)
    users = [draw.getrandbits(64) for _ in range(1_000_000)]
    segments = cut_segments(10**12, users, users[:1_000])
    await put(store, *segments)
    assert sorted(await store.read_segments(NOVEMBER, SOURCE, WindowValue(10**12))) == sorted(segments)


async def test_nothing_to_write_is_written(store: Store) -> None:
    await store.write_windows([], [])
    assert await store.read_windows(NOVEMBER) == []
