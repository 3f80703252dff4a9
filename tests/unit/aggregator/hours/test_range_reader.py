from collections.abc import Sequence

import pytest

from aggregator.hours.range_reader import FEWEST, LATE, MOST, SOON, RangeReader
from aggregator.hours.reader import Answer, HourReader
from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS
from support.fixtures.aggregator import HOUR, AggregatorFixture, click

YEAR = 366 * 24


class TimedReader:
    """Reads as the product does; each reading takes as long as the test says, or fails."""

    def __init__(self, reader: HourReader) -> None:
        self._reader = reader
        self.lengths: list[int] = []
        self.seconds = 0.0
        self.now = 0.0
        self.away = False

    def timer(self) -> float:
        return self.now

    async def read_hours(self, hours: Sequence[int]) -> list[Answer]:
        self.lengths.append(len(hours))
        self.now += self.seconds
        if self.away:
            raise StoreUnavailable("away")
        return await self._reader.read_hours(hours)


@pytest.fixture
async def timed() -> TimedReader:
    fixture = AggregatorFixture()
    for back in (0, 100, 1_000, YEAR - 1):
        fixture.append(0, click("u", hour=HOUR - back * HOUR_MS))
    await fixture.count()
    return TimedReader(fixture.reader())


async def clicks_of_a_year(reader: RangeReader) -> list[int]:
    """Of each hour with any, how many hours ago it is."""
    span = await reader.read(HOUR - (YEAR - 1) * HOUR_MS, HOUR + HOUR_MS)
    assert [answer.hour for answer in span.answers] == list(range(HOUR - (YEAR - 1) * HOUR_MS, HOUR + HOUR_MS, HOUR_MS))
    return [(HOUR - answer.hour) // HOUR_MS for answer in span.answers if answer.totals.counts]


def reader_of(timed: TimedReader) -> RangeReader:
    return RangeReader(timed, timed.timer)  # type: ignore[arg-type] # it is one by behaviour


@pytest.mark.parametrize("seconds", [0.0, SOON, LATE * 2])
async def test_each_hour_of_a_span_is_there_however_many_are_read_at_once(timed: TimedReader, seconds: float) -> None:
    timed.seconds = seconds
    assert await clicks_of_a_year(reader_of(timed)) == [YEAR - 1, 1_000, 100, 0]


async def test_where_readings_are_quick_a_month_is_read_at_once(timed: TimedReader) -> None:
    reader = reader_of(timed)
    await clicks_of_a_year(reader)
    assert max(timed.lengths) == MOST
    timed.lengths.clear()
    await reader.read(HOUR - MOST * HOUR_MS, HOUR)
    assert timed.lengths == [MOST]


async def test_where_readings_are_slow_no_more_than_a_day_is_read_at_once(timed: TimedReader) -> None:
    reader = reader_of(timed)
    await clicks_of_a_year(reader)
    timed.seconds = LATE * 2
    await clicks_of_a_year(reader)
    assert max(timed.lengths[-5:]) == FEWEST


async def test_after_a_reading_that_failed_little_is_read_at_once(timed: TimedReader) -> None:
    reader = reader_of(timed)
    await clicks_of_a_year(reader)
    timed.away = True
    with pytest.raises(StoreUnavailable):
        await clicks_of_a_year(reader)
    timed.away = False
    timed.lengths.clear()
    await clicks_of_a_year(reader)
    assert timed.lengths[0] == FEWEST


async def test_a_short_span_does_not_make_long_ones_longer(timed: TimedReader) -> None:
    reader = reader_of(timed)
    for _ in range(10):
        await reader.read(HOUR, HOUR + HOUR_MS)
    timed.lengths.clear()
    await clicks_of_a_year(reader)
    assert timed.lengths[0] < MOST
