from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from aggregator.hours.days import DayOffTheHour, days_between
from contract.hour import HOUR_MS, parse_hour


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("UTC", date(2026, 11, 24), "2026-11-24T00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22", 25),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05", 23),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03", 23),  # its midnight was left out
        ("Pacific/Auckland", date(2026, 11, 24), "2026-11-23T11", 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_zone_gives_it(zone: str, day: date, begins: str, hours: int) -> None:
    (found,) = days_between(day, day.replace(day=day.day + 1), ZoneInfo(zone))
    assert (found.date, found.first, found.end - found.first) == (day, parse_hour(begins), hours * HOUR_MS)


def test_days_follow_on_each_other_without_a_gap_all_year() -> None:
    days = list(days_between(date(2026, 1, 1), date(2027, 1, 1), ZoneInfo("Europe/Berlin")))
    assert len(days) == 365
    assert all(one.end == other.first for one, other in pairwise(days))
    assert sorted({(day.end - day.first) // HOUR_MS for day in days}) == [23, 24, 25]


def test_a_day_that_a_zone_left_out_is_none() -> None:
    days = list(days_between(date(2011, 12, 29), date(2012, 1, 1), ZoneInfo("Pacific/Apia")))
    assert [day.date.day for day in days] == [29, 31]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide"])
def test_a_day_that_does_not_begin_on_an_hour_of_utc_is_refused_with_when_it_does(zone: str) -> None:
    with pytest.raises(DayOffTheHour, match=rf"2026-11-24 of {zone} begins at \d\d:(30|15) UTC"):
        list(days_between(date(2026, 11, 24), date(2026, 11, 25), ZoneInfo(zone)))
