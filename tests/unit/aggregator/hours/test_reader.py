import asyncio
from datetime import timedelta
from typing import Never

import pytest

from aggregator.end_offsets.port import FakeEndOffsets
from aggregator.hours.completeness import UNKNOWN
from aggregator.settings import AggregatorSettings
from contract.errors import StateUnreadable, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


class AwayStore(MemoryStore):
    """A store that cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def read_progress(self, *_: object) -> Never:
        raise self._error


class SilentStore(MemoryStore):
    """A store that never answers."""

    async def read_windows(self, *_: object) -> Never:
        await asyncio.Event().wait()
        raise AssertionError


class PausableStore(MemoryStore):
    """A store that answers when it is let; it counts its readings."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.readings: list[int] = []

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        self.readings.append(hour)
        self.asked.set()
        await self.let.wait()
        if self._error is not None:
            raise self._error
        return await super().read_windows(hour, source)


async def test_an_hour_without_actions_is_all_zeros_and_complete() -> None:
    fixture = AggregatorFixture(partitions=2)

    answer = await fixture.reader().read(HOUR)

    assert (answer.totals.counts, answer.totals.unique_users) == ({}, 0)
    assert (answer.completeness.complete_through, answer.completeness.lag) == (fixture.now, 0)


async def test_an_hour_is_the_sum_of_its_partitions() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"), click("a"), click("c", hour=HOUR - HOUR_MS))
    fixture.append(1, click("b"), click("b", event="impression"))
    await fixture.count(0)
    await fixture.count(1)

    totals = (await fixture.reader().read(HOUR)).totals

    assert (totals.counts, totals.unique_users) == ({"click": 3, "impression": 1}, 2)


async def test_records_not_counted_yet_are_lag_and_not_in_the_numbers() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"))
    await fixture.count(0)
    counted_at = fixture.now
    fixture.now += 1_000
    fixture.append(0, click("a"))
    fixture.append(0, click("a"))

    answer = await fixture.reader().read(HOUR)

    assert answer.totals.counts == {"click": 1}
    assert (answer.completeness.complete_through, answer.completeness.lag) == (counted_at, 2)


async def test_a_window_above_progress_is_not_used() -> None:
    fixture = AggregatorFixture()
    source = LogPartition("log-1", 0)
    fixture.append(0, click("a"))
    await fixture.count(0)
    await fixture.store.write_windows([WindowPoint(source, HOUR, 7, WindowValue(5, {"click": 99}, 0, 9, 1, 1))], [])

    assert (await fixture.reader().read(HOUR)).totals.counts == {"click": 1}


class MovingStore(MemoryStore):
    """While an hour's slots are read for the first time, one by one, one flush is committed, and another one begins."""

    def __init__(self, fixture: AggregatorFixture) -> None:
        super().__init__()
        self._fixture = fixture
        fixture.store = self
        self.readings: list[tuple[int, int]] = []

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        self.readings.append((first, end))
        passed = {(point.hour, point.slot) for point in await super().read_windows_between(first, end, source)}
        if len(self.readings) == 1:
            await self._go_on()
            # The slot of the committed flush was passed before it was written.
            found = await super().read_windows_between(first, end, source)
            return [point for point in found if (point.hour, point.slot) in passed]
        return await super().read_windows_between(first, end, source)

    async def _go_on(self) -> None:
        self._fixture.now += 1_000
        self._fixture.append(0, click("b"))
        await self._fixture.count()
        self._fixture.append(0, click("c"))
        flush = self._fixture.flush(LogPartition("log-1", 0))
        for _ in ("segments", "windows"):
            await anext(flush)


async def moved_on() -> tuple[AggregatorFixture, MovingStore]:
    """Two hours that were counted, of which only the later one is counted on while they are read."""
    fixture = AggregatorFixture()
    store = MovingStore(fixture)
    store.readings.append((0, 0))
    fixture.append(0, click("a", hour=HOUR - HOUR_MS))
    fixture.append(0, click("a"))
    await fixture.count()
    store.readings.clear()
    return fixture, store


async def test_only_the_hour_that_is_counted_on_is_read_again_and_each_says_what_it_holds() -> None:
    fixture, store = await moved_on()
    counted_at, source = fixture.now, LogPartition("log-1", 0)
    fixture.now += 5_000

    before, current = await fixture.reader(end_offsets=FakeEndOffsets("log-1", {0: 4})).read_hours(
        [HOUR - HOUR_MS, HOUR]
    )

    assert store.readings == [(HOUR - HOUR_MS, HOUR + HOUR_MS), (HOUR, HOUR + HOUR_MS)]
    assert (before.totals.counts, before.progress[source].through_offset) == ({"click": 1}, 1)
    assert (before.completeness.complete_through, before.completeness.lag) == (counted_at, 2)
    assert (current.totals.counts, current.progress[source].through_offset) == ({"click": 2}, 2)
    assert (current.completeness.complete_through, current.completeness.lag) == (counted_at + 5_000, 1)


@pytest.mark.parametrize(("end", "looks"), [(3, 1), (2, 2)])
async def test_whether_the_log_was_cut_the_hour_that_was_read_last_tells(end: int, looks: int) -> None:
    fixture, _ = await moved_on()
    end_offsets = FakeEndOffsets("log-1", {0: end})

    answers = await fixture.reader(end_offsets=end_offsets).read_hours([HOUR - HOUR_MS, HOUR])

    assert end_offsets.reads == looks
    assert {answer.completeness == UNKNOWN for answer in answers} == {looks == 2}


async def test_a_partition_without_progress_leaves_nothing_promised() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"))
    fixture.append(1, click("b"))
    await fixture.count(0)

    answer = await fixture.reader().read(HOUR)

    assert answer.totals.counts == {"click": 1}
    assert (answer.completeness.complete_through, answer.completeness.lag) == (None, 1)


async def test_a_user_who_moved_when_partitions_were_added_is_one_user() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("moves"), click("stays"))
    await fixture.count(0)
    fixture.grow()
    fixture.append(2, click("moves"))
    await fixture.count(2)

    answer = await fixture.reader().read(HOUR)

    assert (answer.totals.counts, answer.totals.unique_users) == ({"click": 3}, 2)


async def test_a_user_in_two_logs_is_one_user_and_the_numbers_of_both_logs_add() -> None:
    fixture = AggregatorFixture(partitions=1)
    fixture.append(0, click("a"), click("b"))
    await fixture.count(0)
    fixture.create_again("log-2", partitions=1)
    fixture.append(0, click("b"), click("c", event="impression"))
    await fixture.count(0)

    answer = await fixture.reader().read(HOUR)

    assert (answer.totals.counts, answer.totals.unique_users) == ({"click": 3, "impression": 1}, 3)
    assert answer.completeness.complete_through == fixture.now


async def test_a_user_of_records_without_the_header_is_one_user_wherever_they_lie() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"), header=0)
    fixture.append(1, click("a"), click("b"), header=0)
    await fixture.count(0)
    await fixture.count(1)

    assert (await fixture.reader().read(HOUR)).totals.unique_users == 2


async def test_users_seen_after_the_committed_window_are_not_in_the_union() -> None:
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"), header=0)
    fixture.append(1, click("b"), header=0)
    await fixture.count(0)
    await fixture.count(1)
    fixture.append(0, click("later"), header=0)
    flush = fixture.flush(LogPartition("log-1", 0))
    await anext(flush)
    assert len(fixture.store.segments) == 3

    assert (await fixture.reader().read(HOUR)).totals.unique_users == 2


async def test_duplicates_are_told() -> None:
    fixture = AggregatorFixture()
    fixture.append(0, click("a", action_id="1"), click("a", action_id="1"), click("a", action_id="2"))
    await fixture.count(0)

    totals = (await fixture.reader().read(HOUR)).totals

    assert (totals.counts, totals.duplicates) == ({"click": 2}, 1)


async def test_records_lost_to_retention_are_told() -> None:
    fixture = AggregatorFixture()
    points = [ProgressPoint(LogPartition(log, 0), 0, Progress(9, lost=lost)) for log, lost in (("x", 4), ("y", 3))]
    await fixture.store.write_progress(points)

    assert (await fixture.reader().read(HOUR)).lost == 7


async def test_with_kafka_away_the_numbers_are_served_and_nothing_is_promised() -> None:
    fixture = AggregatorFixture()
    fixture.append(0, click("a"))
    await fixture.count(0)
    fixture.end_offsets.unavailable_reason = "connection refused"
    fixture.now = HOUR + 24 * HOUR_MS

    answer = await fixture.reader().read(HOUR)

    assert answer.totals.counts == {"click": 1}
    assert (answer.completeness.complete_through, answer.completeness.lag) == (None, None)
    assert not answer.completeness.final


@pytest.mark.parametrize("error", [StoreUnavailable("refused", "connect"), StateUnreadable("state version 9")])
async def test_a_store_that_cannot_be_read_gives_an_error_and_never_zeros(error: Exception) -> None:
    with pytest.raises(type(error)):
        await AggregatorFixture().reader(AwayStore(error)).read(HOUR)


async def test_a_store_that_never_answers_is_away_after_a_bound() -> None:
    settings = AggregatorSettings(aggregator_store_timeout=timedelta(milliseconds=1))

    with pytest.raises(StoreUnavailable, match=r"0\.001 s"):
        await AggregatorFixture().reader(SilentStore(), settings).read(HOUR)


async def test_those_who_ask_for_an_hour_at_the_same_time_share_one_reading() -> None:
    store = PausableStore()
    reader = AggregatorFixture().reader(store)
    asking = [asyncio.create_task(reader.read(HOUR)) for _ in range(50)]
    await store.asked.wait()
    store.let.set()

    answers = await asyncio.gather(*asking)

    assert len(set(map(id, answers))) == 1
    assert store.readings == [HOUR]


async def test_each_hour_and_each_later_request_is_read_fresh() -> None:
    store = PausableStore()
    store.let.set()
    reader = AggregatorFixture().reader(store)
    await asyncio.gather(reader.read(HOUR), reader.read(HOUR - HOUR_MS))

    await reader.read(HOUR)

    assert sorted(store.readings) == [HOUR - HOUR_MS, HOUR, HOUR]


async def test_one_who_hangs_up_does_not_end_the_reading_of_the_others() -> None:
    store = PausableStore()
    reader = AggregatorFixture().reader(store)
    hangs_up, stays = (asyncio.create_task(reader.read(HOUR)) for _ in range(2))
    await store.asked.wait()
    hangs_up.cancel()
    await asyncio.wait([hangs_up])
    store.let.set()

    assert (await stays).hour == HOUR


async def test_those_who_share_a_reading_share_its_error_and_the_next_one_tries_again() -> None:
    store = PausableStore(StoreUnavailable("refused", "connect"))
    reader = AggregatorFixture().reader(store)
    asking = [asyncio.create_task(reader.read(HOUR)) for _ in range(3)]
    await store.asked.wait()
    store.let.set()

    errors = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(error) for error in errors] == [StoreUnavailable] * 3
    with pytest.raises(StoreUnavailable):
        await reader.read(HOUR)
    assert len(store.readings) == 2
