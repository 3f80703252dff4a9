"""A partition's books: each reading asks for what changed, and comes to what a reading of everything comes to."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from aggregator.ledger.books import PartitionBooks, Sums
from contract.errors import StoreUnavailable
from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import BLOCK_MS, BlockVersion, ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore

SOURCE = LogPartition("log-1", 0)


class CountingStore(MemoryStore):
    """Remembers which hours it was asked for, and can fail behind some of them."""

    def __init__(self) -> None:
        super().__init__()
        self.streamed: list[int] = []
        self.fails_from: int | None = None

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        async for points in super().stream_windows(first, end, source):
            for point in points:
                if self.fails_from is not None and point.hour >= self.fails_from:
                    raise StoreUnavailable("cut")
                self.streamed.append(point.hour)
                yield [point]


class Forgetful(CountingStore):
    """Writes values without a version, as older versions of this program did."""

    async def read_block_versions(self, _: LogPartition) -> dict[int, BlockVersion]:
        return {}


async def put(store: MemoryStore, hour: int, slot: int, through_offset: int, clicks: int, generation: int = 0) -> None:
    value = WindowValue(through_offset, {"click": clicks}, clicks % 3, generation=generation)
    await store.write_windows([WindowPoint(SOURCE, hour, slot, value)], [])


async def commit(store: MemoryStore, through_offset: int) -> None:
    progress = Progress(through_offset, watermark=through_offset)
    await store.write_progress([ProgressPoint(SOURCE, 1, progress)])


async def sums_of(books: PartitionBooks) -> Sums:
    totals = await books.read(1)
    assert totals is not None
    return totals.sums


def expected_sums(store: MemoryStore, limit: int) -> Sums:
    """Counted in the simplest way: of each hour the highest value up to the limit."""
    best: dict[int, WindowValue] = {}
    for (_, hour, _), value in store.windows.items():
        rank = (value.through_offset, value.generation)
        if value.through_offset <= limit and (
            hour not in best or rank > (best[hour].through_offset, best[hour].generation)
        ):
            best[hour] = value
    counted = sum(sum(value.counts.values()) for value in best.values())
    return Sums(counted, sum(value.duplicates for value in best.values()))


@pytest.mark.parametrize("seed", range(300))
async def test_whatever_is_written_in_between_each_reading_comes_to_what_the_store_holds(seed: int) -> None:
    rng, store = random.Random(seed), MemoryStore()
    books = PartitionBooks(store, SOURCE)
    hours = [rng.randrange(0, END_OF_TIME_MS, HOUR_MS) // HOUR_MS * HOUR_MS for _ in range(4)]
    hours += [hours[0] // BLOCK_MS * BLOCK_MS + near * HOUR_MS for near in (0, 1, 511, 512)]
    offset = 0
    for _ in range(20):
        offset += rng.randrange(3)
        for hour in rng.sample(hours, rng.randrange(4)):
            # Also values that no progress covers yet, and those of a rebuild, which may be lower.
            through, slot = max(0, offset + rng.randrange(-2, 3)), rng.randrange(2)
            while (SOURCE, hour, slot) in store.windows and store.windows[SOURCE, hour, slot].through_offset >= through:
                slot += 1
            await put(store, hour, slot, through, rng.randrange(9), rng.randrange(2))
        await commit(store, offset)
        assert await sums_of(books) == expected_sums(store, offset)


async def test_only_blocks_that_changed_are_read_again() -> None:
    store = CountingStore()
    books = PartitionBooks(store, SOURCE)
    for block in range(5):
        await put(store, block * BLOCK_MS, 0, 1, 1)
    await commit(store, 1)
    await sums_of(books)
    store.streamed.clear()
    await sums_of(books)
    assert store.streamed == []
    await put(store, 3 * BLOCK_MS, 1, 2, 5)
    await commit(store, 2)
    assert await sums_of(books) == Sums(9, 6)
    assert set(store.streamed) == {3 * BLOCK_MS}


async def test_a_value_that_progress_reaches_later_counts_from_then_on_though_nothing_was_written() -> None:
    store = CountingStore()
    books = PartitionBooks(store, SOURCE)
    await put(store, 0, 0, 1, 1)
    await put(store, 0, 1, 2, 4)
    await commit(store, 1)
    assert (await sums_of(books)).counted == 1
    await commit(store, 2)
    assert (await sums_of(books)).counted == 4


async def test_blocks_that_the_store_has_no_more_count_nothing() -> None:
    store = CountingStore()
    books = PartitionBooks(store, SOURCE)
    for block in range(3):
        await put(store, block * BLOCK_MS, 0, 1, 1)
    await commit(store, 1)
    await sums_of(books)
    del store.windows[SOURCE, BLOCK_MS, 0]
    assert (await sums_of(books)).counted == 2


async def test_a_reading_that_failed_is_continued_where_it_stood() -> None:
    store = CountingStore()
    books = PartitionBooks(store, SOURCE)
    for block in range(4):
        await put(store, block * BLOCK_MS, 0, 1, 1)
    await commit(store, 1)
    store.fails_from = 3 * BLOCK_MS
    with pytest.raises(StoreUnavailable):
        await books.read(1)
    store.streamed, store.fails_from = [], None
    assert (await sums_of(books)).counted == 4
    assert 0 not in store.streamed


async def test_values_of_older_versions_of_this_program_are_counted_and_not_read_each_time() -> None:
    store = Forgetful()
    books = PartitionBooks(store, SOURCE)
    await put(store, 0, 0, 1, 1)
    await commit(store, 1)
    assert (await sums_of(books)).counted == 1
    store.streamed.clear()
    assert (await sums_of(books)).counted == 1
    assert store.streamed == []


async def test_progress_that_moves_all_the_while_gives_no_totals() -> None:
    class Moving(CountingStore):
        async def read_block_versions(self, source: LogPartition) -> dict[int, BlockVersion]:
            (at,) = (progress.through_offset for progress in (await self.read_progress(source)).values())
            await commit(self, at + 1)
            return await super().read_block_versions(source)

    store = Moving()
    await put(store, 0, 0, 1, 1)
    await commit(store, 1)
    assert await PartitionBooks(store, SOURCE).read(3) is None
