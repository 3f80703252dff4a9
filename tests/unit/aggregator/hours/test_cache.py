import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from aggregator.hours.cache import HourCache
from aggregator.settings import AggregatorSettings
from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


class WatchedStore(MemoryStore):
    """The fixture's store; it counts its readings, holds them back when told to, and fails with `error`."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store
        self.error: Exception | None = None
        self.let = asyncio.Event()
        self.let.set()
        self.held_back = asyncio.Event()
        self.readings: list[int] = []
        self.segments: list[int] = []

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        return await self._store.read_progress(source)

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        self.readings.append(hour)
        found = await self._store.read_windows(hour, source)
        if not self.let.is_set():
            self.held_back.set()
            await self.let.wait()
        if self.error is not None:
            raise self.error
        return found

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        self.segments.append(window.full_through)
        return await self._store.read_segments(hour, source, window)


class Cached:
    """A fixture of one partition that is read through memory."""

    def __init__(self, settings: AggregatorSettings | None = None, partitions: int = 1) -> None:
        self.fixture = AggregatorFixture(partitions)
        self.store = WatchedStore(self.fixture.store)
        settings = settings or AggregatorSettings()
        self.hours = HourCache(self.fixture.reader(self.store, settings), self.fixture.clock, settings)

    async def clicked(self, times: int = 1, header: int | None = None, partition: int = 0) -> None:
        """So many clicks, each by a user of its own, and all counted."""
        for number in range(times):
            self.fixture.append(partition, click(f"user-{self.fixture.now}-{number}"), header=header)
        await self.fixture.count(partition)

    async def clicks(self, hour: int = HOUR, *, fresh: bool = False) -> int:
        return (await self.hours.read(hour, fresh=fresh)).totals.counts.get("click", 0)

    async def readings_ended(self) -> None:
        """Whatever was begun in the background is over."""
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)


@pytest.fixture
async def cached() -> AsyncIterator[Cached]:
    """Two clicks are counted, and the answer is in memory."""
    cached = Cached()
    await cached.clicked(2)
    assert await cached.clicks() == 2
    yield cached
    await cached.hours.close()


async def test_however_many_ask_a_young_answer_costs_no_query(cached: Cached) -> None:
    cached.fixture.now += 249

    answers = [await cached.clicks() for _ in range(1_000)]

    assert (set(answers), cached.store.readings) == ({2}, [HOUR])


async def test_an_answer_no_longer_young_is_given_once_more_and_renewed_behind_it(cached: Cached) -> None:
    cached.fixture.now += 250
    await cached.clicked()
    cached.store.let.clear()

    assert [await cached.clicks() for _ in range(10)] == [2] * 10
    cached.store.let.set()
    await cached.readings_ended()

    assert await cached.clicks() == 3
    assert cached.store.readings == [HOUR, HOUR]


async def test_an_answer_from_memory_promises_no_more_than_when_it_was_read(cached: Cached) -> None:
    read_at = cached.fixture.now
    cached.fixture.append(0, click("later"))
    cached.fixture.now += 499

    completeness = (await cached.hours.read(HOUR)).completeness

    assert (completeness.complete_through, completeness.lag) == (read_at, 0)


async def test_an_answer_that_is_too_old_is_never_given(cached: Cached) -> None:
    cached.fixture.now += 500
    await cached.clicked()

    assert await cached.clicks() == 3


async def test_a_renewal_that_takes_too_long_makes_readers_wait_for_it(cached: Cached) -> None:
    cached.fixture.now += 250
    await cached.clicked()
    cached.store.let.clear()
    await cached.clicks()
    cached.fixture.now += 250
    asking = [asyncio.create_task(cached.clicks()) for _ in range(20)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in asking)
    cached.store.let.set()

    assert set(await asyncio.gather(*asking)) == {3}
    assert cached.store.readings == [HOUR, HOUR]


async def test_a_store_that_fails_is_told_once_the_answer_is_too_old_and_no_longer_once_it_is_back(
    cached: Cached,
) -> None:
    cached.store.error = StoreUnavailable("refused", "connect")
    cached.fixture.now += 499
    assert await cached.clicks() == 2
    await cached.readings_ended()
    cached.fixture.now += 1
    with pytest.raises(StoreUnavailable):
        await cached.clicks()
    cached.store.error = None

    assert await cached.clicks() == 2


async def test_an_answer_whose_reading_took_long_is_as_old_as_its_beginning(cached: Cached) -> None:
    cached.fixture.now += 500
    cached.store.let.clear()
    asking = asyncio.create_task(cached.clicks())
    await cached.store.held_back.wait()
    cached.fixture.now += 500
    cached.store.let.set()
    await asking
    await cached.clicked()

    assert await cached.clicks() == 3


async def test_a_clock_that_was_set_back_makes_the_answer_worth_nothing(cached: Cached) -> None:
    cached.fixture.now -= 10
    await cached.clicked()

    assert await cached.clicks() == 3


async def test_who_asks_for_a_fresh_answer_gets_what_was_counted_before(cached: Cached) -> None:
    await cached.clicked()

    assert await cached.clicks(fresh=True) == 3
    assert await cached.clicks() == 3


async def test_who_asks_for_a_fresh_answer_joins_no_reading_that_began_before(cached: Cached) -> None:
    cached.fixture.now += 250
    cached.store.let.clear()
    await cached.clicks()
    await cached.store.held_back.wait()
    cached.fixture.now += 200
    asking = [asyncio.create_task(cached.hours.read(HOUR, fresh=True)) for _ in range(20)]
    await asyncio.sleep(0)
    cached.store.let.set()

    answers = await asyncio.gather(*asking)

    assert {answer.completeness.complete_through for answer in answers} == {cached.fixture.now}
    assert cached.store.readings == [HOUR] * 3


async def test_the_hour_before_is_cached_too_and_older_or_coming_ones_are_read_each_time(cached: Cached) -> None:
    cached.store.readings.clear()
    for hour in (HOUR - HOUR_MS, HOUR - 2 * HOUR_MS, HOUR + HOUR_MS):
        await cached.clicks(hour)
        await cached.clicks(hour)

    assert cached.store.readings == [HOUR - HOUR_MS, *[HOUR - 2 * HOUR_MS] * 2, *[HOUR + HOUR_MS] * 2]


async def test_nobody_reads_while_nobody_asks(cached: Cached) -> None:
    cached.fixture.now += 30_000
    await cached.readings_ended()

    assert cached.store.readings == [HOUR]


async def test_one_who_hangs_up_does_not_end_the_reading_of_the_others(cached: Cached) -> None:
    cached.fixture.now += 500
    cached.store.let.clear()
    hangs_up, stays = (asyncio.create_task(cached.clicks()) for _ in range(2))
    await cached.store.held_back.wait()
    hangs_up.cancel()
    await asyncio.wait([hangs_up])
    cached.store.let.set()

    assert await stays == 2


async def test_closing_ends_a_reading_under_way(cached: Cached) -> None:
    cached.fixture.now += 500
    cached.store.let.clear()
    asking = asyncio.create_task(cached.clicks())
    await cached.store.held_back.wait()

    await cached.hours.close()

    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_age_of_nothing_reads_each_time() -> None:
    cached = Cached(AggregatorSettings(aggregator_max_age=timedelta(0)))
    await cached.clicks()
    await cached.clicks()

    assert cached.store.readings == [HOUR, HOUR]


async def test_a_union_of_users_is_read_on_and_forgotten_when_nobody_asks_for_a_minute() -> None:
    cached = Cached(partitions=2)
    await cached.clicked(2, header=0)
    await cached.clicked(2, header=0, partition=1)
    await cached.hours.read(HOUR)
    cached.fixture.now += 500
    await cached.clicked(1, header=0)
    again = await cached.hours.read(HOUR)
    cached.fixture.now += 60_000
    await cached.hours.read(HOUR)

    assert (again.totals.counts, again.totals.unique_users) == ({"click": 5}, 3)
    assert cached.store.segments == [-1, -1, 1, -1, -1]


async def test_answers_from_memory_and_those_that_somebody_waited_for_are_counted(cached: Cached) -> None:
    assert (cached.hours.hits, cached.hours.misses) == (0, 1)

    await cached.clicks()
    assert cached.hours.cached(HOUR) is not None
    await cached.clicks(fresh=True)
    await cached.clicks(HOUR - 5 * HOUR_MS)

    assert (cached.hours.hits, cached.hours.misses) == (2, 2)
