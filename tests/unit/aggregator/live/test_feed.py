import asyncio
import json
from typing import Any

import pytest

from aggregator.hours.cache import HourCache
from aggregator.live.feed import Event, LiveFeed
from aggregator.settings import AggregatorSettings
from contract.errors import CollectorError, StateUnreadable, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


class Store(MemoryStore):
    """A store that counts how often it is read, and may be away."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.away = False
        self.error: CollectorError = StoreUnavailable("gone", reason="connection")

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        self.reads += 1
        if self.away:
            raise self.error
        return await super().read_progress(source)


def feed_of(fixture: AggregatorFixture) -> LiveFeed:
    """Its clock moves with each reading, and nothing is cached."""

    def clock() -> int:
        fixture.now += 100
        return fixture.now

    settings = AggregatorSettings(aggregator_max_age=0, aggregator_ends_max_age=0, aggregator_kafka_retry=0)
    return LiveFeed(HourCache(fixture.reader(fixture.store, settings), clock, settings), clock, every=0)


def fields(event: Event | None) -> tuple[str, int, dict[str, Any]]:
    assert event is not None
    kind, number, data, *end = event.text.decode().split("\n")
    assert end == ["", ""]
    return kind.removeprefix("event: "), int(number.removeprefix("id: ")), json.loads(data.removeprefix("data: "))


async def test_an_event_says_all_that_the_hour_s_answer_says_and_the_rate() -> None:
    fixture = AggregatorFixture()
    fixture.append(0, click("a"), click("b", event="impression"))
    await fixture.count()
    feed = feed_of(fixture)
    async with feed.listening():
        kind, number, told = fields(await feed.after(None))
    assert (kind, told["hour"], told["timestamp"]) == ("hour", "2026-11-24T09:00:00Z", HOUR)
    assert (told["clicks"], told["impressions"], told["unique_users"], told["actions"]) == (1, 1, 2, 2)
    assert (told["lag"], told["final"], told["actions_per_second"]) == (0, False, 0.0)
    assert HOUR < number <= fixture.now


async def test_an_action_that_is_counted_comes_to_those_who_listen() -> None:
    fixture = AggregatorFixture()
    feed = feed_of(fixture)
    async with feed.listening():
        event = await feed.after(None)
        fixture.append(0, click("a"))
        await fixture.count()
        while fields(event)[2]["clicks"] == 0:
            event = await feed.after(event.number if event else None)
        assert fields(event)[2]["actions_per_second"] > 0


async def test_numbers_of_events_rise_though_the_clock_goes_back() -> None:
    fixture = AggregatorFixture()
    feed = feed_of(fixture)
    async with feed.listening():
        first = fields(await feed.after(None))[1]
        fixture.now -= 60_000
        assert fields(await feed.after(first))[1] > first


async def test_one_reading_serves_all_who_listen_and_nobody_reads_for_nobody() -> None:
    store = Store()
    fixture = AggregatorFixture()
    fixture.store = store
    feed = feed_of(fixture)

    async def listen(events: int) -> list[Event | None]:
        async with feed.listening():
            seen: list[Event | None] = [await feed.after(None)]
            while len(seen) < events:
                seen.append(await feed.after(seen[-1].number if seen[-1] else None))
            return seen

    await asyncio.sleep(0)
    assert store.reads == 0
    heard = await asyncio.gather(*(listen(5) for _ in range(50)))
    assert {tuple(seen) for seen in heard} == {tuple(heard[0])}
    assert store.reads <= 2 * 6  # progress is read twice
    reads = store.reads
    for _ in range(20):
        await asyncio.sleep(0)
    assert store.reads == reads


async def test_a_listener_that_is_slow_gets_the_latest_event() -> None:
    fixture = AggregatorFixture()
    feed = feed_of(fixture)
    async with feed.listening():
        first = await feed.after(None)
        assert first is not None
        # Others listen meanwhile.
        number = first.number
        for _ in range(5):
            event = await feed.after(number)
            assert event is not None
            number = event.number
        assert fields(await feed.after(first.number))[1] == number


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), StateUnreadable("of a later release")])
async def test_a_store_that_is_away_is_said_and_so_is_its_return(error: CollectorError) -> None:
    store = Store()
    store.away, store.error = True, error
    fixture = AggregatorFixture()
    fixture.store = store
    feed = feed_of(fixture)
    async with feed.listening():
        event = await feed.after(None)
        assert fields(event)[0] == "unavailable"
        assert event is not None
        reads = store.reads
        again = await feed.after(event.number)
        assert fields(again)[0] == "unavailable"
        assert store.reads >= reads + 10
        assert again is not None
        store.away = False
        while (event := await feed.after(again.number)) is not None and fields(event)[0] == "unavailable":
            again = event
        assert fields(event)[0] == "hour"


async def test_the_next_hour_follows_on_the_one_before() -> None:
    fixture = AggregatorFixture()
    feed = feed_of(fixture)
    async with feed.listening():
        event = await feed.after(None)
        fixture.now = HOUR + HOUR_MS
        while fields(event)[2]["timestamp"] == HOUR:
            event = await feed.after(event.number if event else None)
        assert fields(event)[2]["timestamp"] == HOUR + HOUR_MS


async def test_who_listens_hears_the_end() -> None:
    feed = feed_of(AggregatorFixture())
    async with feed.listening():
        event = await feed.after(None)
        waiting = asyncio.create_task(feed.after(event.number + 10**9 if event else None))
        feed.close()
        assert await feed.after(None) is None
        await waiting
