"""What readers may ask for: a timestamp or an hour."""

import re
from dataclasses import replace
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import QueryParams

from aggregator.http.problems import ParameterRefused
from contract.errors import InvalidHour
from contract.hour import END_OF_TIME_MS, hour_of, parse_hour
from contract.log.action import missing, reject, reject_timestamp

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_MANY_DIGITS: Final = 20
"""So many digits are out of any range, whatever follows; Python refuses to convert some thousands."""

TIMESTAMP_IN_OPENAPI: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "timestamp",
            "in": "query",
            "required": True,
            "description": "Any instant of the hour, in ms since the epoch, UTC. Once, as a plain decimal integer.",
            "schema": {"type": "integer", "format": "int64", "minimum": 0, "exclusiveMaximum": END_OF_TIME_MS},
            "example": 1795510923456,
        }
    ]
}
"""Read by hand: the framework would take ` 1`, `1.0` and `+1` for integers, and the last of several values."""


_OF_POST: Final = ("user", "event", "id")


def hour_of_timestamp(request: Request) -> int:
    """The hour of the query's `timestamp`; others are passed over, but an action's are not. Raises ParameterRefused."""
    query = request.query_params
    values = query.getlist("timestamp")
    if len(query) > 1 or not values:
        _refuse_an_action(query)
    if not values:
        raise ParameterRefused(missing("timestamp"))
    text = single(request, "timestamp") or ""
    if not _INTEGER.fullmatch(text):
        raise ParameterRefused(reject("timestamp_not_integer", "timestamp", text))
    timestamp = int(text[:_MANY_DIGITS])
    if timestamp < 0:
        raise ParameterRefused(reject("timestamp_negative", "timestamp", timestamp))
    if timestamp >= END_OF_TIME_MS:
        raise ParameterRefused(reject_timestamp("timestamp_after_2099", timestamp))
    return hour_of(timestamp)


def _refuse_an_action(query: QueryParams) -> None:
    """Who reads numbers names no user: an action that is sent with GET must not be answered as if it were counted."""
    for name in _OF_POST:
        if name in query:
            rule = "GET /analytics reads the numbers of the hour of timestamp, and records no action"
            hint = "to record an action use POST; where only GET is possible, as for an image, GET /v1/pixel.gif"
            raise ParameterRefused(replace(reject("parameter_of_post", name, query[name], rule), hint=hint))


def hour_in_path(hour: str) -> int:
    """The hour that the path names. Raises ParameterRefused."""
    try:
        return parse_hour(hour)
    except InvalidHour as error:
        rule = "an hour is YYYY-MM-DDTHH or an ISO 8601 instant from 1970 up to 2100"
        raise ParameterRefused(reject("hour_malformed", "hour", hour, rule)) from error


def single(request: Request, name: str) -> str | None:
    """A parameter of the query; None where it is not given. Raises ParameterRefused where it is given twice."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise ParameterRefused(reject("parameter_repeated", name, ", ".join(values), "each parameter is given once"))
    return values[0] if values else None


def wants_fresh(request: Request) -> bool:
    """Whether the reader asks not to be answered from memory (RFC 9111: `Cache-Control: no-cache`)."""
    return "no-cache" in request.headers.get("cache-control", "").lower()
