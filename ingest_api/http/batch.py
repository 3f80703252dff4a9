"""A batch's lines: cut out of its body, parsed, and checked against the log's rules and the API's."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from contract.action import Action, Rejection, parse_line, parse_lines, reject
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.errors import RequestRefused
from ingest_api.http.content_type import ContentType

MAX_LINE_BYTES: Final = 16 * 1024
"""No action is as long, even if each of its characters is written as an escape."""

_LINE_TOO_LONG: Final = f"a line has at most {MAX_LINE_BYTES} bytes"
_PORTION: Final = 1_000
"""So many lines are checked at a time, in about a millisecond; then others have their turn."""
_COMMAS_PER_LINE: Final = 32
"""More commas than this for each line that is allowed could be so many elements; memory is not spent to find out."""
_BLANK: Final = b" \t\r"


class Refusal(NamedTuple):
    """A line that is no action."""

    line: int
    """Its number, or the element's place in the array, from 0."""
    rejection: Rejection


class CheckedBatch(NamedTuple):
    """A batch's actions, in order, and what was refused."""

    accepted: list[Action]
    refused: list[Refusal]


async def check_batch(body: bytes, content_type: ContentType, max_lines: int, policy: AcceptancePolicy) -> CheckedBatch:
    """Checks each line or element by itself.

    Raises RequestRefused: 413 for more than `max_lines`, 400 for JSON that is no array.
    """
    whole = parse_lines(body) if content_type is ContentType.NDJSON and _is_one_portion(body, max_lines) else None
    if whole is not None and policy.accepts_all(whole):
        return CheckedBatch(list(whole), [])
    lines = _SPLIT[content_type](body, max_lines)
    checked = CheckedBatch([], [])
    for start in range(0, len(lines), _PORTION):
        parsed = whole or _parse(lines[start : start + _PORTION])
        if policy.accepts_all(parsed):
            checked.accepted.extend(parsed)
        else:
            for index, item in enumerate(policy.check(parsed), start):
                if isinstance(item, Action):
                    checked.accepted.append(item)
                elif content_type is ContentType.JSON or lines[index].strip(_BLANK):
                    checked.refused.append(Refusal(index, item))
        await asyncio.sleep(0)
    return checked


def _is_one_portion(body: bytes, max_lines: int) -> bool:
    """Whether it surely has few lines, none too long; to split them would take a fifth of the time to check them.

    A newline in each half of the longest line's length leaves no room for a longer one.
    """
    half = MAX_LINE_BYTES // 2
    return body.count(b"\n", 0, -1) < min(max_lines, _PORTION) and all(
        body.find(b"\n", at, at + half) >= 0 for at in range(0, len(body) - half + 1, half)
    )


def _split_ndjson(body: bytes, max_lines: int) -> list[bytes]:
    """Blank lines are kept here, so that an index is a line's number; they are no actions and no errors."""
    text = body.removesuffix(b"\n")
    if text.count(b"\n") >= max_lines:
        raise _too_many(max_lines)
    return text.split(b"\n")


_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _split_array(body: bytes, max_lines: int) -> list[bytes]:
    if body.count(b",") > _COMMAS_PER_LINE * max_lines:
        raise _too_many(max_lines)
    try:
        elements = _elements(body)
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is not a JSON array: {error}"
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "array_malformed", detail) from error
    if len(elements) > max_lines:
        raise _too_many(max_lines)
    return [bytes(element) for element in elements]


_SPLIT: Final[dict[ContentType, Callable[[bytes, int], list[bytes]]]] = {
    ContentType.JSON: _split_array,
    ContentType.NDJSON: _split_ndjson,
}


def _too_many(max_lines: int) -> RequestRefused:
    detail = f"the batch has more lines; at most {max_lines} are accepted"
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_lines", detail)


def _parse(lines: Sequence[bytes]) -> list[Action | Rejection]:
    """One entry a line. An array's element may itself be written over several lines."""
    text = b"\n".join(lines)
    if text.count(b"\n") == len(lines) - 1 and max(map(len, lines)) <= MAX_LINE_BYTES:
        return parse_lines(text + b"\n")
    return [_parse_one(line) for line in lines]


def _parse_one(line: bytes) -> Action | Rejection:
    if len(line) > MAX_LINE_BYTES:
        return reject("line_too_long", None, line, _LINE_TOO_LONG)
    return parse_line(line)
