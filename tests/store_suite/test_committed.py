"""The rules of reading what is committed, on every store."""

from collections.abc import Awaitable, Callable

import pytest

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import SegmentPoint, Store, WindowPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import Committed, read_committed, read_committed_hours, read_committed_segments, read_loads
from support.stores.committing import NOVEMBER, OTHER, SOURCE, commit, progress, value


async def put(store: Store, source: LogPartition, *values: tuple[int, WindowValue]) -> None:
    await store.write_windows([WindowPoint(source, NOVEMBER, slot, one) for slot, one in values], [])


class Watched:
    """The store, with something that happens right before a read of windows: once, or each time."""

    def __init__(self, store: Store, happens: Callable[[], Awaitable[None]], *, each_time: bool = False) -> None:
        self._store, self._happens, self._each_time = store, happens, each_time
        self.reads_of_windows = 0
        self.read_segments = store.read_segments

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        return await self._store.read_progress(source)

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        self.reads_of_windows += 1
        if self.reads_of_windows == 1 or self._each_time:
            await self._happens()
        return await self._store.read_windows(hour, source)


async def test_nothing_is_committed_without_progress(store: Store) -> None:
    await put(store, SOURCE, (1, value(10)))
    assert await read_committed(store, NOVEMBER) == {}


async def test_a_source_whose_hour_has_no_window_is_told_apart_from_one_that_is_not_counted(store: Store) -> None:
    await commit(store, SOURCE, 10)
    assert await read_committed(store, NOVEMBER) == {SOURCE: Committed(progress(10), None)}


@pytest.mark.parametrize(
    ("committed", "expected"), [(9, None), (10, value(10)), (19, value(10)), (20, value(20)), (99, value(20))]
)
async def test_the_highest_value_not_above_progress_counts(
    store: Store, committed: int, expected: WindowValue | None
) -> None:
    await put(store, SOURCE, (1, value(20)), (2, value(10)))
    await commit(store, SOURCE, committed)
    assert await read_committed(store, NOVEMBER) == {SOURCE: Committed(progress(committed), expected)}


async def test_each_source_has_its_own_limit(store: Store) -> None:
    for source, through_offset in [(SOURCE, 10), (OTHER, 20)]:
        await put(store, source, (1, value(10)), (2, value(20)))
        await commit(store, source, through_offset)
    first, second = Committed(progress(10), value(10)), Committed(progress(20), value(20))
    assert await read_committed(store, NOVEMBER) == {SOURCE: first, OTHER: second}
    assert await read_committed(store, NOVEMBER, SOURCE) == {SOURCE: first}


@pytest.fixture
async def flush(store: Store) -> Callable[[], Awaitable[None]]:
    """The window is counted up to 10; each call commits one flush, and stores the window of the next."""
    await put(store, SOURCE, (1, value(10)), (2, value(9)))
    await commit(store, SOURCE, 10)
    committed = 10

    async def commit_and_go_on() -> None:
        nonlocal committed
        committed += 10
        at, other = (1, 2) if committed % 20 else (2, 1)
        await put(store, SOURCE, (at, value(committed)))
        await commit(store, SOURCE, committed)
        await put(store, SOURCE, (other, value(committed + 10)))

    return commit_and_go_on


async def test_a_value_that_is_committed_by_now_covers_the_first_progress(
    store: Store, flush: Callable[[], Awaitable[None]]
) -> None:
    watched = Watched(store, flush)
    assert await read_committed(watched, NOVEMBER) == {SOURCE: Committed(progress(10), value(20))}
    assert watched.reads_of_windows == 1


async def test_a_value_of_exactly_what_progress_says_is_read_again_where_it_moved_on(
    store: Store, flush: Callable[[], Awaitable[None]]
) -> None:
    watched = Watched(store, flush)
    assert await read_committed(watched, NOVEMBER, exactly=True) == {SOURCE: Committed(progress(20), value(20))}
    assert watched.reads_of_windows == 2


async def test_a_reading_ends_though_each_one_takes_longer_than_two_flushes(
    store: Store, flush: Callable[[], Awaitable[None]]
) -> None:
    async def four_flushes() -> None:
        for _ in range(4):
            await flush()

    watched = Watched(store, four_flushes, each_time=True)
    assert await read_committed(watched, NOVEMBER) == {SOURCE: Committed(progress(10), value(50))}
    assert watched.reads_of_windows == 1


@pytest.mark.parametrize("exactly", [False, True])
async def test_an_hour_without_new_actions_is_not_read_again_however_often_its_source_moves(
    store: Store,
    exactly: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await put(store, SOURCE, (1, value(9)), (2, value(5)))
    await commit(store, SOURCE, 10)
    watched = Watched(store, lambda: commit(store, SOURCE, 11 + watched.reads_of_windows), each_time=True)
    assert await read_committed(watched, NOVEMBER, exactly=exactly) == {SOURCE: Committed(progress(10), value(9))}
    assert watched.reads_of_windows == 1


async def test_a_value_below_the_first_progress_is_read_again_where_others_are_above(
    store: Store, flush: Callable[[], Awaitable[None]]
) -> None:
    """The slots are read one by one: of one what stood before two flushes, of the other what stands after them."""

    class ReadOneByOne(Watched):
        async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
            before = [point for point in await self._store.read_windows(hour, source) if point.value == value(9)]
            found = await super().read_windows(hour, source)
            return before + [point for point in found if point.slot not in {one.slot for one in before}]

    watched = ReadOneByOne(store, flush)
    assert await read_committed(watched, NOVEMBER) == {SOURCE: Committed(progress(20), value(20))}
    assert watched.reads_of_windows == 2


async def test_a_source_that_moves_does_not_unsettle_one_that_stands(
    store: Store, flush: Callable[[], Awaitable[None]]
) -> None:
    await put(store, OTHER, (1, value(10)))
    await commit(store, OTHER, 10)

    assert await read_committed(Watched(store, flush), NOVEMBER, exactly=True) == {
        SOURCE: Committed(progress(20), value(20)),
        OTHER: Committed(progress(10), value(10)),
    }


async def test_a_source_that_appears_meanwhile_is_read_too(store: Store) -> None:
    await commit(store, SOURCE, 10)

    async def start() -> None:
        await put(store, OTHER, (1, value(5)))
        await commit(store, OTHER, 5)

    assert await read_committed(Watched(store, start), NOVEMBER) == {
        SOURCE: Committed(progress(10), None),
        OTHER: Committed(progress(5), value(5)),
    }


async def test_several_hours_are_read_wherever_they_lie(store: Store) -> None:
    near, far, empty = NOVEMBER - 3 * HOUR_MS, NOVEMBER - 5_000 * HOUR_MS, NOVEMBER - HOUR_MS
    for hour, offset in ((NOVEMBER, 10), (near, 4), (far, 7)):
        await store.write_windows([WindowPoint(SOURCE, hour, 1, value(offset))], [])
    await store.write_windows([WindowPoint(SOURCE, near, 2, value(11))], [])
    await commit(store, SOURCE, 10)

    found = await read_committed_hours(store, [NOVEMBER, near, far, empty], SOURCE)

    assert {hour: of_hour[SOURCE].window for hour, of_hour in found.items()} == {
        NOVEMBER: value(10),
        near: value(4),
        far: value(7),
        empty: None,
    }
    assert {of_hour[SOURCE].progress.through_offset for of_hour in found.values()} == {10}


async def test_a_load_tells_what_is_committed_of_the_hours_around_those_that_it_was_asked_for(store: Store) -> None:
    near, known, far = NOVEMBER - 3 * HOUR_MS, NOVEMBER - 4 * HOUR_MS, NOVEMBER - 5_000 * HOUR_MS
    for hour, offset in ((NOVEMBER, 10), (near, 4), (far, 7)):
        await store.write_windows([WindowPoint(SOURCE, hour, 1, value(offset))], [])
    await store.write_windows([WindowPoint(SOURCE, near, 2, value(11))], [])
    await commit(store, SOURCE, 10)

    values, segments = await read_loads(store, [NOVEMBER, known], SOURCE, {known: value(3)})

    assert {hour: values.get(hour) for hour in (NOVEMBER, near, known, NOVEMBER - 5 * HOUR_MS, far)} == {
        NOVEMBER: value(10),
        near: value(4),
        known: value(3),
        NOVEMBER - 5 * HOUR_MS: WindowValue(),
        far: None,
    }
    assert [*segments.values()] == [[], []]


async def test_only_segments_up_to_the_committed_window_belong_to_it(store: Store) -> None:
    segments = [Segment(offset, pack_hashes([offset]), b"") for offset in (5, 10, 11)]
    await store.write_windows([], [SegmentPoint(SOURCE, NOVEMBER, one) for one in segments])
    assert sorted(await read_committed_segments(store, NOVEMBER, SOURCE, value(10))) == segments[:2]
    assert await read_committed_segments(store, NOVEMBER, SOURCE, None) == []
