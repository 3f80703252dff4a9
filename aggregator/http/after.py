"""`after` and `wait`: an answer that counts what the reader has written."""

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError

from aggregator.hours.reader import Answer
from aggregator.http.parameters import single
from aggregator.http.problems import ParameterRefused
from aggregator.positions.reading import CountingReader, NeverCounted, Wait
from contract.errors import InvalidPosition
from contract.log.action import reject
from contract.log.position import parse_position

T = TypeVar("T")

AFTER: Final = "after"
_WAIT: Final = "wait"
_BY_DEFAULT: Final = 2.0
_LONGEST: Final = 30.0
_SHORT: Final = re.compile(r"(?P<number>\d{1,9}(\.\d{1,9})?)(?P<unit>ms|s)", re.ASCII)
_DURATION: Final = TypeAdapter(timedelta)
_RULE: Final = "a wait is like 2s, 500ms or PT2S, from 0 to 30 s"
_RETRY: Final = {"Retry-After": "1", "Cache-Control": "no-store"}

AFTER_IN_OPENAPI: Final[list[dict[str, Any]]] = [
    {
        "name": AFTER,
        "in": "query",
        "required": False,
        "description": "What the header `Collector-Position` of an answer to POST said: the answer waits until those "
        "actions are counted.",
        "schema": {"type": "string"},
        "example": "w9VdR3bRQ0mZbqkHkZyYFg.1795510923456.3-1041",
    },
    {
        "name": _WAIT,
        "in": "query",
        "required": False,
        "description": "How long it waits: `2s`, `500ms` or `PT2S`, at most 30 s.",
        "schema": {"type": "string", "default": "2s"},
        "example": "2s",
    },
]
_RETRY_IN_OPENAPI: Final[dict[str, Any]] = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}
}


def as_model(name: str) -> dict[str, Any]:
    """The content of an answer that is this model, which the 200 of a path describes."""
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def not_yet_in_openapi(content: dict[str, Any], headers: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The answer 202 of a path whose 200 has this content and these headers."""
    described = "The numbers as they are: what `after` names is not counted yet."
    return {
        int(HTTPStatus.ACCEPTED): {
            "description": described,
            "content": content,
            "headers": {**headers, **_RETRY_IN_OPENAPI},
        }
    }


class Counted(NamedTuple):
    """How an answer is given."""

    status: HTTPStatus
    headers: dict[str, str]

    def applied_to(self, response: Response) -> Response:
        """The same answer, given so."""
        if self.status is not HTTPStatus.OK:
            response.status_code = self.status
            response.headers.update(self.headers)
        return response


_OK: Final = Counted(HTTPStatus.OK, {})
_NOT_YET: Final = Counted(HTTPStatus.ACCEPTED, _RETRY)


class AfterReader:
    """Reads for requests that may name a position."""

    def __init__(self, reader: CountingReader) -> None:
        self._reader = reader

    async def read(
        self, request: Request, read: Callable[[], Awaitable[T]], answers_in: Callable[[T], Iterable[Answer]]
    ) -> tuple[T, Counted]:
        """What `read` gives, once it counts what the request names, or as it is when the wait is over.

        Raises ParameterRefused, and what `read` raises.
        """
        wait = wait_in(request)
        if wait is None:
            return await read(), _OK
        try:
            found, is_counted = await self._reader.read(wait, read, answers_in)
        except NeverCounted as error:
            told = request.query_params[AFTER]
            raise ParameterRefused(reject("position_not_in_log", AFTER, told, str(error))) from error
        return found, _OK if is_counted else _NOT_YET


def names_position(request: Request) -> bool:
    """Whether the answer must be read for this request."""
    return AFTER in request.query_params


def wait_in(request: Request) -> Wait | None:
    """What the request waits for; `wait` without `after` is for nothing. Raises ParameterRefused."""
    text = single(request, AFTER)
    if text is None:
        return None
    try:
        position = parse_position(text)
    except InvalidPosition as error:
        raise ParameterRefused(reject("position_malformed", AFTER, text, str(error))) from error
    return Wait(position, _seconds(single(request, _WAIT)))


def _seconds(text: str | None) -> float:
    if text is None:
        return _BY_DEFAULT
    found = _SHORT.fullmatch(text)
    seconds = float(found["number"]) / (1 if found["unit"] == "s" else 1000) if found else _iso_seconds(text)
    if seconds is None:
        raise ParameterRefused(reject("wait_malformed", _WAIT, text, _RULE))
    if not 0 <= seconds <= _LONGEST:
        raise ParameterRefused(reject("wait_out_of_range", _WAIT, text, _RULE))
    return seconds


def _iso_seconds(text: str) -> float | None:
    try:
        return _DURATION.validate_python(text).total_seconds() if text.upper().startswith("P") else None
    except ValidationError:
        return None
