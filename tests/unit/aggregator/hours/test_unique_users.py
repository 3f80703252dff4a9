from typing import Final

import pytest

from aggregator.hours.totals import Windows
from aggregator.hours.unique_users import HourUsers
from contract.errors import StoreUnavailable
from contract.log.progress import LogPartition
from contract.store import SegmentPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR

A: Final = LogPartition("log", 0)
B: Final = LogPartition("log", 1)


class CountingStore(MemoryStore):
    """Keeps what it was asked for; fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[LogPartition, int, int]] = []
        self.failing = False

    async def put(self, source: LogPartition, through_offset: int, *users: int) -> None:
        await self.write_windows([], [SegmentPoint(source, HOUR, Segment(through_offset, pack_hashes(users), b""))])

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        self.asked.append((source, window.full_through, window.through_offset))
        if self.failing and source == B:
            raise StoreUnavailable("refused", "connect")
        return await super().read_segments(hour, source, window)


def windows(a: int, b: int | None = None) -> Windows:
    through = {A: a} if b is None else {A: a, B: b}
    return {source: WindowValue(offset, {"click": 1}) for source, offset in through.items()}


@pytest.fixture
async def store() -> CountingStore:
    """Users 1 and 2 on A, 2 and 3 on B; later 4 on A, and on A again 1."""
    store = CountingStore()
    await store.put(A, 5, 1, 2)
    await store.put(B, 7, 2, 2**64 - 1)
    await store.put(A, 9, 1, 4)
    return store


async def test_a_user_of_several_segments_is_one_user(store: CountingStore) -> None:
    assert await HourUsers().count(store, HOUR, windows(9, 7)) == 4


async def test_only_what_came_since_is_read(store: CountingStore) -> None:
    users = HourUsers()
    assert await users.count(store, HOUR, windows(5, 7)) == 3
    store.asked.clear()

    assert await users.count(store, HOUR, windows(9, 7)) == 4

    assert store.asked == [(A, 5, 9)]


async def test_a_partition_that_comes_later_is_read_from_its_beginning(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(9))

    assert await users.count(store, HOUR, windows(9, 7)) == 4


async def test_a_window_that_was_forgotten_takes_its_users_with_it(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(9, 7))

    assert await users.count(store, HOUR, windows(5, 7)) == 3
    assert await users.count(store, HOUR, windows(9)) == 3


async def test_a_window_that_was_written_again_is_read_from_its_beginning(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(9, 7))
    await store.put(A, 9, 8)
    await store.put(A, 5)

    assert await users.count(store, HOUR, {**windows(9, 7), A: WindowValue(9, {"click": 2})}) == 3


async def test_a_window_that_was_rebuilt_is_read_from_its_beginning(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(5, 7))
    await store.write_windows([], [SegmentPoint(A, HOUR, Segment(9, pack_hashes([4]), b"", generation=1, full=True))])

    rebuilt = WindowValue(9, {"click": 2}, generation=1, full_through=9)
    assert await users.count(store, HOUR, {**windows(9, 7), A: rebuilt}) == 3


async def test_a_full_segment_above_what_is_in_memory_is_read(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(5, 7))
    await store.write_windows([], [SegmentPoint(A, HOUR, Segment(9, pack_hashes([1, 2, 4]), b"", full=True))])

    assert await users.count(store, HOUR, {**windows(9, 7), A: WindowValue(10, {"click": 2}, full_through=9)}) == 4


async def test_a_reading_that_failed_leaves_nothing_behind(store: CountingStore) -> None:
    users = HourUsers()
    await users.count(store, HOUR, windows(5))
    store.failing = True
    with pytest.raises(StoreUnavailable):
        await users.count(store, HOUR, windows(9, 7))
    store.failing = False

    assert await users.count(store, HOUR, windows(5)) == 2


async def test_a_reading_that_broke_off_half_way_leaves_nothing_behind(store: CountingStore) -> None:
    damaged = Segment(8, b"no hash", b"")
    await store.write_windows([], [SegmentPoint(B, HOUR, damaged)])
    users = HourUsers()
    await users.count(store, HOUR, windows(5))
    with pytest.raises(ValueError, match="multiple"):
        await users.count(store, HOUR, windows(9, 8))

    assert await users.count(store, HOUR, windows(5)) == 2
