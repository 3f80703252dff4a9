import asyncio
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.hours import span_users
from aggregator.hours.range_reader import RangeReader
from aggregator.hours.span_users import SpanUsers
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click

ENOUGH = 2**20


class CountingStore(MemoryStore):
    """A store that counts readings of segments, and how many of them there are at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.at_a_time = self.most_at_a_time = 0

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        self.reads += 1
        self.at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
        await asyncio.sleep(0)
        segments = await super().read_segments_of_hours(source, windows)
        self.at_a_time -= 1
        return segments


async def filled(store: MemoryStore, users_of_hours: list[list[str]]) -> AggregatorFixture:
    """The last of the hours is the current one; users of even length live on partition 0."""
    fixture = AggregatorFixture(partitions=2)
    fixture.store = store
    for back, users in enumerate(reversed(users_of_hours)):
        for partition in (0, 1):
            mine = [click(user, hour=HOUR - back * HOUR_MS) for user in users if len(user) % 2 == partition]
            if mine:
                fixture.append(partition, *mine)
    await fixture.count(0)
    await fixture.count(1)
    return fixture


async def count(fixture: AggregatorFixture, users: SpanUsers, hours: int) -> int:
    span = await RangeReader(fixture.reader(fixture.store)).read(HOUR - (hours - 1) * HOUR_MS, HOUR + HOUR_MS)
    return await users.count(span.answers)


@given(
    st.lists(st.lists(st.integers(0, 60), max_size=40), min_size=1, max_size=5),
    st.sampled_from([48, 240, 2400, ENOUGH]),
)
async def test_each_user_of_a_span_counts_once_however_little_memory_there_is(
    numbers: list[list[int]], memory: int
) -> None:
    users_of_hours = [[f"u{number}" for number in of_hour] for of_hour in numbers]
    fixture = await filled(MemoryStore(), users_of_hours)
    users = SpanUsers(fixture.store, memory)
    assert await count(fixture, users, len(numbers)) == len({user for of_hour in users_of_hours for user in of_hour})


async def test_memory_is_bounded_by_reading_a_span_as_often_as_it_takes() -> None:
    randomly = random.Random(7)
    names = [f"user-{number}" for number in range(4_000)]
    users_of_hours = [randomly.sample(names, 3_000) for _ in range(4)]
    expected = len(set().union(*users_of_hours))
    store = CountingStore()
    fixture = await filled(store, users_of_hours)
    assert await count(fixture, SpanUsers(store, ENOUGH), 4) == expected
    once, store.reads = store.reads, 0
    assert await count(fixture, SpanUsers(store, 24 * 1_500), 4) == expected
    assert store.reads > 2 * once


async def test_what_was_counted_is_remembered_until_a_late_action_comes() -> None:
    store = CountingStore()
    fixture = await filled(store, [["a", "b"], ["b", "cc"]])
    users = SpanUsers(store, ENOUGH)
    assert await count(fixture, users, 2) == 3
    reads = store.reads
    assert await count(fixture, users, 2) == 3
    assert store.reads == reads
    fixture.append(1, click("d", hour=HOUR - HOUR_MS))
    await fixture.count(1)
    assert await count(fixture, users, 2) == 4
    assert store.reads > reads


async def test_spans_asked_for_at_the_same_time_are_counted_one_after_the_other_and_the_same_one_once() -> None:
    store = CountingStore()
    fixture = await filled(store, [["a"], ["b", "c"], ["c", "dd"]])
    users = SpanUsers(store, ENOUGH)
    assert await asyncio.gather(*(count(fixture, users, hours) for hours in (1, 2, 3, 3, 2, 1))) == [2, 3, 4, 4, 3, 2]
    assert store.most_at_a_time == 1
    # Of the last hour, of the last two and of all three, users of each partition.
    assert store.reads == 2 + 2 + 2


async def test_a_busy_span_is_read_in_lots_that_memory_allows_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_users, "_USERS", 3)
    store = CountingStore()
    fixture = await filled(store, [["a", "b"], ["c"], ["a", "d", "e", "f"], ["g"]])
    assert await count(fixture, SpanUsers(store, ENOUGH), 4) == 7
    assert store.reads == 3


async def test_few_counts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_users, "_REMEMBERED", 1)
    store = CountingStore()
    fixture = await filled(store, [["a"], ["b"]])
    users = SpanUsers(store, ENOUGH)
    assert [await count(fixture, users, hours) for hours in (1, 2, 1)] == [1, 2, 1]
    assert store.reads == 3
