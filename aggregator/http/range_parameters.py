"""What readers may ask for: a span of hours."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import Request

from aggregator.http.problems import ParameterRefused
from contract.action import MAX_SHOWN_VALUE, reject
from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour, hour_of

_PAGE: Final = 31 * 24 * HOUR_MS
_DEFAULT: Final = 24 * HOUR_MS
_MS: Final = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_OFFSET: Final = re.compile(r" (?=[0-9]{2}(:?[0-9]{2})?$)")
"""A `+` in a query is read as a space; here none else can stand before the digits of an offset."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MALFORMED: Final = "an instant is an ISO 8601 date or date-time (UTC where it names no offset), or ms since the epoch"
_END: Final = "the span lies between 1970-01-01 and 2100-01-01"


class Page(NamedTuple):
    """The hours from `first` up to, not including, `end`; where the span goes on, `following` is its next page."""

    first: int
    end: int
    following: int | None
    to: int
    """Where the span that was asked for ends. All are ms since the epoch, and the start of an hour."""


def page_of(request: Request, now: int) -> Page:
    """The first page of the span that the query's `from` and `to` name: by default 24 hours, this one the last.

    Raises ParameterRefused.
    """
    to = _hour(request, "to", hour_of(now) + HOUR_MS)
    first = _hour(request, "from", max(0, to - _DEFAULT))
    if first >= to:
        rule = "from lies before to: the span goes from the one up to, not including, the other"
        raise ParameterRefused(reject("span_empty", "from", format_hour(first), rule))
    end = min(to, first + _PAGE)
    return Page(first, end, end if end < to else None, to)


def _hour(request: Request, name: str, default: int) -> int:
    values = request.query_params.getlist(name)
    if not values:
        return default
    if len(values) > 1:
        raise ParameterRefused(reject("parameter_repeated", name, ", ".join(values), "each parameter is given once"))
    instant = _instant(name, values[0])
    if not 0 <= instant <= END_OF_TIME_MS:
        raise ParameterRefused(reject("span_out_of_range", name, values[0], _END))
    if instant % HOUR_MS:
        earlier, later = format_hour(hour_of(instant)), format_hour(hour_of(instant) + HOUR_MS)
        rule = f"a span begins and ends on an hour of UTC; near it are {earlier} and {later}"
        raise ParameterRefused(reject("span_within_an_hour", name, values[0], rule))
    return instant


def _instant(name: str, text: str) -> int:
    if _MS.fullmatch(text):
        return int(text)
    instant = _parsed(text)
    if instant is None:
        raise ParameterRefused(reject("instant_malformed", name, text[: MAX_SHOWN_VALUE + 1], _MALFORMED))
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _parsed(text: str) -> datetime | None:
    if "\x00" in text:  # fromisoformat takes one for the end of the text
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return datetime.fromisoformat(_OFFSET.sub("+", text))
    except ValueError:
        return None


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


SPAN_IN_OPENAPI: Final = [
    _parameter(
        "from",
        "The first hour: an ISO 8601 date or date-time, UTC where it names no offset, or ms since the epoch; the start "
        "of an hour. By default 24 hours before `to`.",
        "2026-11-24",
    ),
    _parameter("to", "The end, not included; as `from`. By default the end of the current hour.", "2026-11-25T09:00Z"),
]
