import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from aggregator.hours.cache import HourCache
from aggregator.settings import AggregatorSettings
from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS
from contract.progress import LogPartition, Progress
from contract.segment import Segment
from contract.store import WindowPoint
from contract.window_value import WindowValue
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


class Held:
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
async def held() -> AsyncIterator[Held]:
    """Two clicks are counted, and the answer is in memory."""
    held = Held()
    await held.clicked(2)
    assert await held.clicks() == 2
    yield held
    await held.hours.close()


async def test_however_many_ask_a_young_answer_costs_no_query(held: Held) -> None:
    held.fixture.now += 249

    answers = [await held.clicks() for _ in range(1_000)]

    assert (set(answers), held.store.readings) == ({2}, [HOUR])


async def test_an_answer_no_longer_young_is_given_once_more_and_renewed_behind_it(held: Held) -> None:
    held.fixture.now += 250
    await held.clicked()
    held.store.let.clear()

    assert [await held.clicks() for _ in range(10)] == [2] * 10
    held.store.let.set()
    await held.readings_ended()

    assert await held.clicks() == 3
    assert held.store.readings == [HOUR, HOUR]


async def test_an_answer_from_memory_promises_no_more_than_when_it_was_read(held: Held) -> None:
    read_at = held.fixture.now
    held.fixture.append(0, click("later"))
    held.fixture.now += 499

    completeness = (await held.hours.read(HOUR)).completeness

    assert (completeness.complete_through, completeness.lag) == (read_at, 0)


async def test_an_answer_that_is_too_old_is_never_given(held: Held) -> None:
    held.fixture.now += 500
    await held.clicked()

    assert await held.clicks() == 3


async def test_a_renewal_that_takes_too_long_makes_readers_wait_for_it(held: Held) -> None:
    held.fixture.now += 250
    await held.clicked()
    held.store.let.clear()
    await held.clicks()
    held.fixture.now += 250
    asking = [asyncio.create_task(held.clicks()) for _ in range(20)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in asking)
    held.store.let.set()

    assert set(await asyncio.gather(*asking)) == {3}
    assert held.store.readings == [HOUR, HOUR]


async def test_a_store_that_fails_is_told_once_the_answer_is_too_old_and_no_longer_once_it_is_back(held: Held) -> None:
    held.store.error = StoreUnavailable("refused", "connect")
    held.fixture.now += 499
    assert await held.clicks() == 2
    await held.readings_ended()
    held.fixture.now += 1
    with pytest.raises(StoreUnavailable):
        await held.clicks()
    held.store.error = None

    assert await held.clicks() == 2


async def test_an_answer_whose_reading_took_long_is_as_old_as_its_beginning(held: Held) -> None:
    held.fixture.now += 500
    held.store.let.clear()
    asking = asyncio.create_task(held.clicks())
    await held.store.held_back.wait()
    held.fixture.now += 500
    held.store.let.set()
    await asking
    await held.clicked()

    assert await held.clicks() == 3


async def test_a_clock_that_was_set_back_makes_the_answer_worth_nothing(held: Held) -> None:
    held.fixture.now -= 10
    await held.clicked()

    assert await held.clicks() == 3


async def test_who_asks_for_a_fresh_answer_gets_what_was_counted_before(held: Held) -> None:
    await held.clicked()

    assert await held.clicks(fresh=True) == 3
    assert await held.clicks() == 3


async def test_who_asks_for_a_fresh_answer_joins_no_reading_that_began_before(held: Held) -> None:
    held.fixture.now += 250
    held.store.let.clear()
    await held.clicks()
    await held.store.held_back.wait()
    held.fixture.now += 200
    asking = [asyncio.create_task(held.hours.read(HOUR, fresh=True)) for _ in range(20)]
    await asyncio.sleep(0)
    held.store.let.set()

    answers = await asyncio.gather(*asking)

    assert {answer.completeness.complete_through for answer in answers} == {held.fixture.now}
    assert held.store.readings == [HOUR] * 3


async def test_the_hour_before_is_held_too_and_older_or_coming_ones_are_read_each_time(held: Held) -> None:
    held.store.readings.clear()
    for hour in (HOUR - HOUR_MS, HOUR - 2 * HOUR_MS, HOUR + HOUR_MS):
        await held.clicks(hour)
        await held.clicks(hour)

    assert held.store.readings == [HOUR - HOUR_MS, *[HOUR - 2 * HOUR_MS] * 2, *[HOUR + HOUR_MS] * 2]


async def test_nobody_reads_while_nobody_asks(held: Held) -> None:
    held.fixture.now += 30_000
    await held.readings_ended()

    assert held.store.readings == [HOUR]


async def test_one_who_hangs_up_does_not_end_the_reading_of_the_others(held: Held) -> None:
    held.fixture.now += 500
    held.store.let.clear()
    hangs_up, stays = (asyncio.create_task(held.clicks()) for _ in range(2))
    await held.store.held_back.wait()
    hangs_up.cancel()
    await asyncio.wait([hangs_up])
    held.store.let.set()

    assert await stays == 2


async def test_closing_ends_a_reading_under_way(held: Held) -> None:
    held.fixture.now += 500
    held.store.let.clear()
    asking = asyncio.create_task(held.clicks())
    await held.store.held_back.wait()

    await held.hours.close()

    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_age_of_nothing_reads_each_time() -> None:
    held = Held(AggregatorSettings(aggregator_max_age=timedelta(0)))
    await held.clicks()
    await held.clicks()

    assert held.store.readings == [HOUR, HOUR]


async def test_a_union_of_users_is_read_on_and_forgotten_when_nobody_asks_for_a_minute() -> None:
    held = Held(partitions=2)
    await held.clicked(2, header=0)
    await held.clicked(2, header=0, partition=1)
    await held.hours.read(HOUR)
    held.fixture.now += 500
    await held.clicked(1, header=0)
    again = await held.hours.read(HOUR)
    held.fixture.now += 60_000
    await held.hours.read(HOUR)

    assert (again.totals.counts, again.totals.unique_users) == ({"click": 5}, 3)
    assert held.store.segments == [-1, -1, 1, -1, -1]
