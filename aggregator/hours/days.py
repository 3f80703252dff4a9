"""The days of a time zone, as spans of hours of UTC."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contract.errors import CollectorError
from contract.hour import HOUR_MS

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = dt.timedelta(days=1)


class DayOffTheHour(CollectorError):
    """A day of a time zone does not begin on an hour of UTC, and numbers are kept by these."""


class Day(NamedTuple):
    """A day: the hours from `first` up to, not including, `end`, ms since the epoch. It has 23 to 25."""

    date: dt.date
    first: int
    end: int


def days_between(first: dt.date, end: dt.date, zone: ZoneInfo) -> Iterator[Day]:
    """The days from `first` up to, not including, `end`; one that a zone left out is not among them.

    Raises DayOffTheHour.
    """
    day, begin = first, midnight(first, zone)
    while day < end:
        following = day + _DAY
        begin_of_following = midnight(following, zone)
        if begin < begin_of_following:
            yield Day(day, begin, begin_of_following)
        day, begin = following, begin_of_following


def midnight(day: dt.date, zone: ZoneInfo) -> int:
    """Where a day begins, ms since the epoch: at the first instant of it that there is. Raises DayOffTheHour."""
    # Where the clock is put forward at midnight, this names the instant at which it is.
    begin = dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    instant = (begin - _EPOCH) // dt.timedelta(milliseconds=1)
    if instant % HOUR_MS:
        raise DayOffTheHour(f"{day} of {zone.key} begins at {begin:%H:%M} UTC, not on an hour of UTC")
    return instant
