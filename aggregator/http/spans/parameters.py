"""What readers may ask for: a span of hours."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import Request

from aggregator.hours.days import Day, DayOffTheHour, days_between
from aggregator.hours.zones import iana_zone
from aggregator.http.parameters import single
from aggregator.http.problems import ParameterRefused
from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour, hour_of
from contract.log.action import reject

_PAGE: Final = 31 * 24 * HOUR_MS
_DAY: Final = 24 * HOUR_MS
_LONGEST: Final = 366 * _DAY
_DAYS_BY_DEFAULT: Final = 7
_DAYS: Final = 31
_MS: Final = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_OFFSET: Final = re.compile(r" (?=[0-9]{2}(:?[0-9]{2})?$)")
"""A `+` in a query is read as a space; here none else can stand before the digits of an offset."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MALFORMED: Final = "an instant is an ISO 8601 date or date-time, with an offset or without, or ms since the epoch"
_UTC: Final = ZoneInfo("UTC")
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2100
_BEFORE: Final = "from lies before to: the span goes from the one up to, not including, the other"
_END: Final = "the span lies between 1970-01-01 and 2100-01-01"


class Page(NamedTuple):
    """The hours from `first` up to, not including, `end`; where the span goes on, `following` is its next page."""

    first: int
    end: int
    following: int | None
    to: int
    """Where the span that was asked for ends. All are ms since the epoch, and the start of an hour."""


class SpanOfDays(NamedTuple):
    """Days of a time zone, from `first` up to, not including, `end`."""

    days: list[Day]
    zone: ZoneInfo


def page_of(request: Request, now: int) -> Page:
    """The first page of the span that the query's `from` and `to` name: by default 24 hours, this one the last.

    Raises ParameterRefused.
    """
    first, to = span_of(request, now, _UTC)
    end = min(to, first + _PAGE)
    return Page(first, end, end if end < to else None, to)


def span_of(request: Request, now: int, zone: ZoneInfo) -> tuple[int, int]:
    """The span that the query's `from` and `to` name, dates being those of `zone`. Raises ParameterRefused."""
    to = _hour(request, "to", zone, hour_of(now) + HOUR_MS)
    first = _hour(request, "from", zone, max(0, to - _DAY))
    if first >= to:
        raise ParameterRefused(reject("span_empty", "from", format_hour(first), _BEFORE))
    return first, to


def short_span_of(request: Request, now: int, zone: ZoneInfo) -> tuple[int, int]:
    """The same, for what is added up over the whole of it. Raises ParameterRefused."""
    first, to = span_of(request, now, zone)
    if to - first > _LONGEST:
        rule = f"a span has at most {_LONGEST // _DAY} days here"
        raise ParameterRefused(reject("span_too_long", "from", format_hour(first), rule))
    return first, to


def days_of(request: Request, now: int) -> SpanOfDays:
    """The days that the query's `from` and `to` name: by default seven, today the last. Raises ParameterRefused."""
    zone = zone_of(request)
    tomorrow = datetime.fromtimestamp(now // 1000, zone).date() + timedelta(days=1)
    to = _date(request, "to", tomorrow)
    first = _date(request, "from", to - timedelta(days=_DAYS_BY_DEFAULT))
    if not first < to <= first + timedelta(days=_DAYS):
        rule = f"{_BEFORE}, of at most {_DAYS} days"
        raise ParameterRefused(reject("span_empty" if first >= to else "span_too_long", "from", str(first), rule))
    try:
        days = list(days_between(first, to, zone))
    except DayOffTheHour as error:
        rule = f"a day begins on an hour of UTC, by which numbers are kept: {error}"
        raise ParameterRefused(reject("zone_off_the_hour", "tz", zone.key, rule)) from error
    if not days:
        rule = f"a span holds a day that {zone.key} had: it left some out when it crossed the date line"
        raise ParameterRefused(reject("span_empty", "from", str(first), rule))
    if days[0].first < 0 or days[-1].end > END_OF_TIME_MS:
        raise ParameterRefused(reject("span_out_of_range", "from", str(first), _END))
    return SpanOfDays(days, zone)


def zone_of(request: Request) -> ZoneInfo:
    """The IANA time zone that `tz` names; UTC by default. Raises ParameterRefused."""
    name = single(request, "tz")
    if name is None:
        return _UTC
    zone = iana_zone(name)
    if zone is None:
        raise ParameterRefused(reject("zone_unknown", "tz", name, "tz is an IANA time zone, such as Europe/Berlin"))
    return zone


def _date(request: Request, name: str, default: date) -> date:
    text = single(request, name)
    if text is None:
        return default
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ParameterRefused(reject("date_malformed", name, text, "a date is YYYY-MM-DD"))
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ParameterRefused(reject("span_out_of_range", name, text, _END))
    return day


def _hour(request: Request, name: str, zone: ZoneInfo, default: int) -> int:
    text = single(request, name)
    if text is None:
        return default
    instant = _instant(name, text, zone)
    if not 0 <= instant <= END_OF_TIME_MS:
        raise ParameterRefused(reject("span_out_of_range", name, text, _END))
    if instant % HOUR_MS:
        earlier, later = format_hour(hour_of(instant)), format_hour(hour_of(instant) + HOUR_MS)
        rule = f"a span begins and ends on an hour of UTC; near it are {earlier} and {later}"
        raise ParameterRefused(reject("span_within_an_hour", name, text, rule))
    return instant


def _instant(name: str, text: str, zone: ZoneInfo) -> int:
    if _MS.fullmatch(text):
        return int(text)
    instant = _parsed(text)
    if instant is None:
        raise ParameterRefused(reject("instant_malformed", name, text, _MALFORMED))
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _parsed(text: str) -> datetime | None:
    if "\x00" in text:  # fromisoformat takes one for the end of the text
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time())
        return datetime.fromisoformat(_OFFSET.sub("+", text))
    except ValueError:
        return None
