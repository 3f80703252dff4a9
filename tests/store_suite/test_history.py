"""What every store promises to those who add up all hours there ever were."""

import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.store import BLOCK_MS, Store, WindowPoint
from support.stores.committing import NOVEMBER, OTHER, SOURCE, value

BLOCK = NOVEMBER // BLOCK_MS * BLOCK_MS
MANY = 5_000


async def streamed(store: Store, hour: int) -> list[WindowPoint]:
    return [point async for points in store.stream_windows(hour, hour + HOUR_MS, SOURCE) for point in points]


async def test_windows_are_streamed_in_the_order_of_their_hours_and_no_portion_is_large(store: Store) -> None:
    points = [WindowPoint(SOURCE, hour * HOUR_MS, slot, value(hour)) for hour in range(MANY) for slot in (3, 9)]
    await store.write_windows([*points, WindowPoint(OTHER, 0, 0, value(1))], [])

    portions = [points async for points in store.stream_windows(0, END_OF_TIME_MS, SOURCE)]

    assert max(map(len, portions)) <= 2_000
    found = [point for points in portions for point in points]
    assert [point.hour for point in found] == sorted(point.hour for point in found)
    assert sorted(found) == points


async def test_only_the_hours_and_the_source_that_are_asked_for_are_streamed(store: Store) -> None:
    inside = WindowPoint(SOURCE, NOVEMBER, 1, value(1))
    around = [WindowPoint(SOURCE, NOVEMBER + ahead * HOUR_MS, 1, value(1)) for ahead in (-1, 1)]
    await store.write_windows([inside, *around, WindowPoint(OTHER, NOVEMBER, 1, value(1))], [])
    assert await streamed(store, NOVEMBER) == [inside]
    assert await streamed(store, 0) == []


async def test_each_block_that_has_values_has_a_version_of_its_own(store: Store) -> None:
    assert await store.read_block_versions(SOURCE) == {}
    hours = [0, BLOCK_MS - HOUR_MS, BLOCK, END_OF_TIME_MS - HOUR_MS]
    await store.write_windows([WindowPoint(SOURCE, hour, 1, value(1)) for hour in hours], [])
    last = hours[-1] // BLOCK_MS * BLOCK_MS
    assert (await store.read_block_versions(SOURCE)).keys() == {0, BLOCK, last}
    assert await store.read_block_versions(OTHER) == {}


@pytest.mark.parametrize(
    "written",
    [
        WindowPoint(SOURCE, NOVEMBER, 1, value(11)),
        WindowPoint(SOURCE, NOVEMBER, 2, value(10)),
        WindowPoint(SOURCE, NOVEMBER + HOUR_MS, 1, value(0)),
    ],
    ids=["replaced", "another slot", "another hour"],
)
async def test_a_write_changes_the_version_of_its_block_and_of_no_other(store: Store, written: WindowPoint) -> None:
    await store.write_windows([WindowPoint(SOURCE, hour, 1, value(10)) for hour in (0, NOVEMBER)], [])
    before = await store.read_block_versions(SOURCE)
    await store.write_windows([written], [])
    after = await store.read_block_versions(SOURCE)
    assert after[BLOCK] != before[BLOCK]
    assert after[0] == before[0]


async def test_what_is_written_again_as_it_was_changes_no_version(store: Store) -> None:
    await store.write_windows([WindowPoint(SOURCE, NOVEMBER, 1, value(10))], [])
    before = await store.read_block_versions(SOURCE)
    await store.write_windows([WindowPoint(SOURCE, NOVEMBER, 1, value(10))], [])
    assert await store.read_block_versions(SOURCE) == before
