import asyncio
from datetime import timedelta

import pytest

from aggregator.end_offsets.cache import CacheLimits, EndOffsets, EndOffsetsCache
from aggregator.end_offsets.port import FakeEndOffsets, LogEndOffsets
from aggregator.metrics import Metrics

LIMITS = CacheLimits(timedelta(milliseconds=200), timedelta(seconds=60), timedelta(seconds=2))


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


class PausableEndOffsets(FakeEndOffsets):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def read(self) -> LogEndOffsets:
        self.asked.set()
        await self.let.wait()
        return await super().read()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shared(reader: FakeEndOffsets, clock: Clock, limits: CacheLimits = LIMITS) -> EndOffsetsCache:
    return EndOffsetsCache(reader, clock, Metrics(), limits=limits)


async def test_end_offsets_bear_the_time_before_kafka_was_asked(clock: Clock) -> None:
    reader = PausableEndOffsets()
    cache = shared(reader, clock)
    asking = asyncio.create_task(cache.latest())
    await reader.asked.wait()
    clock.now += 150
    reader.by_partition[0] = 7
    reader.let.set()

    found = await asking

    assert found is not None
    assert (found.taken_at, found.ends) == (1_000_000, LogEndOffsets("log", {0: 7}))


async def test_recent_end_offsets_are_shared_and_old_ones_are_not(clock: Clock) -> None:
    reader = FakeEndOffsets()
    cache = shared(reader, clock)
    first = await cache.latest()

    clock.now += 199
    assert await cache.latest() == first
    clock.now += 1
    again = await cache.latest()

    assert again is not None
    assert again.taken_at == clock.now
    assert reader.reads == 2


async def test_those_who_ask_at_the_same_time_wait_for_one_reading(clock: Clock) -> None:
    reader = PausableEndOffsets()
    cache = shared(reader, clock)
    asking = [asyncio.create_task(cache.latest()) for _ in range(50)]
    await reader.asked.wait()
    reader.let.set()

    found = await asyncio.gather(*asking)

    assert len(set(map(id, found))) == 1
    assert reader.reads == 1


async def test_one_who_hangs_up_does_not_end_the_reading_of_the_others(clock: Clock) -> None:
    reader = PausableEndOffsets()
    cache = shared(reader, clock)
    hangs_up, stays = (asyncio.create_task(cache.latest()) for _ in range(2))
    await reader.asked.wait()
    hangs_up.cancel()
    await asyncio.wait([hangs_up])
    reader.let.set()

    assert await stays is not None


async def test_a_clock_that_was_set_back_outdates_the_end_offsets(clock: Clock) -> None:
    reader = FakeEndOffsets()
    cache = shared(reader, clock)
    await cache.latest()

    clock.now -= 60_000
    found = await cache.latest()

    assert found is not None
    assert found.taken_at == clock.now


async def test_while_a_failure_stands_nobody_asks_kafka(clock: Clock) -> None:
    reader = FakeEndOffsets()
    reader.unavailable_reason = "connection refused"
    cache = shared(reader, clock)

    assert await cache.latest() is None
    clock.now += 1_999
    assert await cache.latest() is None

    assert reader.reads == 1
    assert cache.unavailable_reason == "connection refused"


async def test_after_a_failure_kafka_is_asked_again(clock: Clock) -> None:
    reader = FakeEndOffsets()
    reader.unavailable_reason = "connection refused"
    cache = shared(reader, clock)
    await cache.latest()
    reader.unavailable_reason = None
    clock.now += 2_000

    assert await cache.latest() is not None
    assert cache.unavailable_reason is None


async def test_a_reading_that_failed_outdates_the_one_before(clock: Clock) -> None:
    reader = FakeEndOffsets()
    cache = shared(reader, clock)
    await cache.latest()
    clock.now += 200
    reader.unavailable_reason = "gone"

    assert await cache.latest() is None


async def test_a_kafka_that_never_answers_is_away(clock: Clock) -> None:
    cache = shared(PausableEndOffsets(), clock, LIMITS._replace(timeout=timedelta(milliseconds=1)))

    assert await cache.latest() is None
    assert cache.unavailable_reason == "no answer within 0.001 s"


async def test_closing_ends_a_reading_under_way(clock: Clock) -> None:
    reader = PausableEndOffsets()
    cache = shared(reader, clock)
    asking = asyncio.create_task(cache.latest())
    await reader.asked.wait()

    await cache.close()

    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_refresh_begins_after_it_was_asked_for(clock: Clock) -> None:
    reader = PausableEndOffsets()
    cache = shared(reader, clock)
    before = asyncio.create_task(cache.latest())
    await reader.asked.wait()
    asking = asyncio.create_task(cache.refresh())
    await asyncio.sleep(0)
    clock.now += 150
    reader.let.set()

    found = await asking

    assert found is not None
    assert (await before, found.taken_at) == (EndOffsets(1_000_000, LogEndOffsets("log", {0: 0})), 1_000_150)
    assert reader.reads == 2
