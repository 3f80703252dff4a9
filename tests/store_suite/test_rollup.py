"""The rules of the hours' points, on every store."""

from collections.abc import AsyncIterator

import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.store import Store, WindowPoint
from contract.windows.rollup import RollupStore
from contract.windows.window_value import WindowValue
from stores.influx.connection import InfluxConnection
from stores.influx.rollup import InfluxRollup
from stores.influx.schema import MS, Bucket
from stores.influx.settings import InfluxSettings
from stores.memory import MemoryStore
from stores.memory_rollup import MemoryRollup
from support.stores.committing import NOVEMBER, OTHER, SOURCE, value
from support.stores.subject import INFLUX

POINT = {"clicks": 3, "final": False, "complete_through": NOVEMBER + 5}


@pytest.fixture(params=[pytest.param(None, id="memory"), *INFLUX])
def settings_or_none(request: pytest.FixtureRequest) -> InfluxSettings | None:
    """The stores that have such points."""
    return None if request.param is None else request.getfixturevalue(request.param)


@pytest.fixture
async def rollup(settings_or_none: InfluxSettings | None, store: Store) -> AsyncIterator[RollupStore]:
    if settings_or_none is None:
        assert isinstance(store, MemoryStore)
        yield MemoryRollup(store)
        return
    influx = InfluxRollup(settings_or_none)
    yield influx
    await influx.close()


async def put(store: Store, hour: int, slot: int, counted: WindowValue) -> None:
    await store.write_windows([WindowPoint(SOURCE, hour, slot, counted)], [])


async def test_of_an_empty_store_nothing_is_read(rollup: RollupStore) -> None:
    assert await rollup.read_points(0, END_OF_TIME_MS) == {}
    assert await rollup.read_marks(0, END_OF_TIME_MS) == {}
    assert await rollup.next_hour(0) is None


async def test_a_point_is_read_as_it_was_written(rollup: RollupStore) -> None:
    await rollup.write_points({NOVEMBER: POINT, 0: {"clicks": 0, "final": True}})

    assert await rollup.read_points(0, END_OF_TIME_MS) == {NOVEMBER: POINT, 0: {"clicks": 0, "final": True}}
    assert await rollup.read_points(NOVEMBER, NOVEMBER + HOUR_MS) == {NOVEMBER: POINT}
    assert await rollup.read_points(0, NOVEMBER) == {0: {"clicks": 0, "final": True}}


async def test_a_write_replaces_the_fields_that_it_names(rollup: RollupStore) -> None:
    await rollup.write_points({NOVEMBER: POINT})
    await rollup.write_points({NOVEMBER: {"clicks": 1, "count_signup": 9}})

    assert await rollup.read_points(0, END_OF_TIME_MS) == {NOVEMBER: {**POINT, "clicks": 1, "count_signup": 9}}


async def test_a_mark_moves_with_each_value_that_is_stored(rollup: RollupStore, store: Store) -> None:
    other_event = WindowValue(7, {"click": 7, "signup": 1}, 0, 1, 4, 4)
    marks = []
    for slot, counted in ((0, value(5)), (1, value(5)), (0, value(7)), (0, other_event)):
        await put(store, NOVEMBER, slot, counted)
        marks.append(await rollup.read_marks(0, END_OF_TIME_MS))

    assert all(list(mark) == [NOVEMBER] for mark in marks)
    assert len({mark[NOVEMBER] for mark in marks}) == len(marks)


async def test_a_mark_stands_still_while_nothing_is_stored_for_its_hour(rollup: RollupStore, store: Store) -> None:
    await put(store, NOVEMBER, 0, value(5))
    before = await rollup.read_marks(0, END_OF_TIME_MS)
    await put(store, NOVEMBER + HOUR_MS, 0, value(6))
    await store.write_windows([WindowPoint(OTHER, NOVEMBER - HOUR_MS, 3_599_999_999_999, value(6))], [])
    await rollup.write_points({NOVEMBER: POINT})

    after = await rollup.read_marks(0, END_OF_TIME_MS)

    assert after.keys() == {NOVEMBER - HOUR_MS, NOVEMBER, NOVEMBER + HOUR_MS}
    assert after[NOVEMBER] == before[NOVEMBER]
    assert (await rollup.read_marks(NOVEMBER, NOVEMBER + HOUR_MS)).keys() == {NOVEMBER}


async def test_hours_that_anything_is_stored_for_are_found_in_turn(rollup: RollupStore, store: Store) -> None:
    far = END_OF_TIME_MS - HOUR_MS
    for hour in (0, NOVEMBER, far):
        await put(store, hour, 77, value(5))

    assert [await rollup.next_hour(first) for first in (0, HOUR_MS, NOVEMBER + HOUR_MS)] == [0, NOVEMBER, far]
    assert await rollup.next_hour(END_OF_TIME_MS) is None


async def test_a_point_of_somebody_else_within_an_hour_is_none_of_these(influx_settings: InfluxSettings) -> None:
    connection = InfluxConnection(influx_settings)
    body = b"hours clicks=5i %d" % ((NOVEMBER + 1) * MS + 1)
    assert await connection.write(Bucket.named(influx_settings.hourly_bucket), body) is None
    await connection.close()
    rollup = InfluxRollup(influx_settings)
    assert await rollup.read_points(0, END_OF_TIME_MS) == {}
    await rollup.close()
