import asyncio

import pytest

from aggregator.positions.watch import ProgressWatch
from contract.errors import CollectorError, StateUnreadable, StoreUnavailable
from contract.log.position import Position
from contract.log.progress import LogPartition, Progress
from stores.memory import MemoryStore
from support.fixtures.aggregator import AggregatorFixture, click
from support.fixtures.ingest import until

POSITION = Position("log-1", 0, {0: 0})
LONG = 30.0


class CountingStore(MemoryStore):
    """Counts looks at progress; while `away` each fails."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.away = False
        self.error: CollectorError = StoreUnavailable("away")

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        self.looks += 1
        if self.away:
            raise self.error
        return await super().read_progress(source)

    async def looked(self, times: int) -> None:
        enough = self.looks + times
        await until(lambda: self.looks >= enough)


async def count(store: MemoryStore) -> None:
    fixture = AggregatorFixture()
    fixture.store = store
    fixture.append(0, click("u"))
    await fixture.count()


async def test_all_who_wait_share_the_looks() -> None:
    store = CountingStore()
    watch = ProgressWatch(store, every=0.0)
    waiting = [asyncio.create_task(watch.until_counted(POSITION, LONG)) for _ in range(500)]
    await store.looked(3)
    assert store.looks <= 4
    await count(store)
    assert await asyncio.gather(*waiting) == [True] * 500


async def test_nobody_looks_while_nobody_waits() -> None:
    store = CountingStore()
    watch = ProgressWatch(store, every=0.0)
    assert not await watch.until_counted(POSITION, 0.0)
    seen = store.looks
    for _ in range(100):
        await asyncio.sleep(0)
    assert store.looks <= seen + 1


async def test_the_wait_is_bounded_though_the_store_is_away() -> None:
    store = CountingStore()
    store.away = True
    assert not await ProgressWatch(store, every=0.0).until_counted(POSITION, 0.01)
    assert store.looks > 1


@pytest.mark.parametrize("error", [StoreUnavailable("away"), StateUnreadable("of a later release")])
async def test_a_store_that_is_back_is_asked_again(error: CollectorError) -> None:
    store = CountingStore()
    store.away, store.error = True, error
    waiting = asyncio.create_task(ProgressWatch(store, every=0.0).until_counted(POSITION, LONG))
    await store.looked(2)
    store.away = False
    await count(store)
    assert await waiting


async def test_when_the_process_stops_nobody_waits_on() -> None:
    watch = ProgressWatch(CountingStore(), every=0.0)
    waiting = asyncio.create_task(watch.until_counted(POSITION, LONG))
    await asyncio.sleep(0)
    watch.close()
    assert not await waiting


async def test_who_leaves_leaves_the_others_waiting() -> None:
    store = CountingStore()
    watch = ProgressWatch(store, every=0.0)
    leaving, staying = (asyncio.create_task(watch.until_counted(POSITION, LONG)) for _ in range(2))
    await store.looked(1)
    leaving.cancel()
    await count(store)
    assert await staying
