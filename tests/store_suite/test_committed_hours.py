"""The rules of reading what is committed over many hours, on every store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import Store, WindowPoint
from contract.windows.window_value import WindowValue
from stores.committed_hours import CommittedHours, read_committed_between
from support.stores.committing import NOVEMBER, OTHER, SOURCE, commit, progress, value


async def put(store: Store, source: LogPartition, hour: int, *values: WindowValue) -> None:
    await store.write_windows([WindowPoint(source, hour, slot, one) for slot, one in enumerate(values)], [])


class Watched:
    """The store, with something that happens right before each read of windows, while there is more of it."""

    def __init__(self, store: Store, *happenings: Callable[[], Awaitable[None]]) -> None:
        self._store, self._happenings = store, list(happenings)
        self.read_progress = store.read_progress
        self.read_windows = store.read_windows
        self.read_windows_between = store.read_windows_between
        self.read_segments = store.read_segments
        self.read_segments_of_hours = store.read_segments_of_hours
        self.read_block_versions = store.read_block_versions

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        if self._happenings:
            await self._happenings.pop(0)()
        async for points in self._store.stream_windows(first, end, source):
            yield points


async def test_a_source_without_progress_has_nothing_committed(store: Store) -> None:
    await put(store, SOURCE, NOVEMBER, value(10))
    assert await read_committed_between(store, SOURCE, 0, END_OF_TIME_MS, 1) == CommittedHours(Progress(), {})


async def test_of_each_hour_the_highest_value_not_above_progress_counts(store: Store) -> None:
    await put(store, SOURCE, 0, value(3), value(2))
    await put(store, SOURCE, NOVEMBER, value(20), value(10))
    await put(store, SOURCE, NOVEMBER + HOUR_MS, value(11))
    await put(store, OTHER, NOVEMBER - HOUR_MS, value(1))
    await commit(store, SOURCE, 10)
    committed = CommittedHours(progress(10), {0: value(3), NOVEMBER: value(10)})
    assert await read_committed_between(store, SOURCE, 0, END_OF_TIME_MS, 1) == committed


async def test_only_the_hours_that_are_asked_for_are_read(store: Store) -> None:
    for hour in (NOVEMBER - HOUR_MS, NOVEMBER, NOVEMBER + HOUR_MS):
        await put(store, SOURCE, hour, value(10))
    await commit(store, SOURCE, 10)
    found = await read_committed_between(store, SOURCE, NOVEMBER, NOVEMBER + HOUR_MS, 1)
    assert found == CommittedHours(progress(10), {NOVEMBER: value(10)})


@pytest.mark.parametrize(("looks", "expected"), [(2, None), (3, {NOVEMBER: value(30)})])
async def test_hours_are_read_again_until_progress_stood_still_or_the_looks_are_used_up(
    store: Store, looks: int, expected: dict[int, WindowValue] | None
) -> None:
    await put(store, SOURCE, NOVEMBER, value(10))
    await commit(store, SOURCE, 10)

    async def flush(through_offset: int) -> None:
        await store.write_windows([WindowPoint(SOURCE, NOVEMBER, through_offset // 10 % 2, value(through_offset))], [])
        await commit(store, SOURCE, through_offset)

    watched = Watched(store, lambda: flush(20), lambda: flush(30))
    found = await read_committed_between(watched, SOURCE, 0, END_OF_TIME_MS, looks)
    assert found == (None if expected is None else CommittedHours(progress(30), expected))
