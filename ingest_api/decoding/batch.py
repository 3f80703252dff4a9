"""A batch's lines: cut out of its body, parsed, and checked against the log's rules and the API's."""

import asyncio
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from contract.log.action import Action, Rejection
from contract.log.counts import count_byte, count_lines
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.checked import LISTED, CheckedBatch
from ingest_api.decoding.lines import MAX_LINE_BYTES, parse, parse_plain
from ingest_api.decoding.portions import line_portions, portions
from ingest_api.errors import RequestRefused

_PORTION: Final = 1_000
_PORTION_BYTES: Final = 128 * 1024
"""So many lines, or such long ones, are looked at at once, in less than a millisecond; then others have their turn."""
_WHOLE_BYTES: Final = 512 * 1024
"""A text that is no longer need not be cut, if it has no more lines."""
_FEW: Final = 100
_FEW_BYTES: Final = 64 * 1024
"""So many are judged one by one, in the same time, where one of them is bad."""
_COMMAS_PER_LINE: Final = 32
"""More commas than this for each line that is allowed could be so many elements."""
_BLANK: Final = b" \t\r"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


async def check_batch(
    body: bytes, max_lines: int, policy: AcceptancePolicy, *, ignore_unknown: bool = False, listed: int = LISTED
) -> CheckedBatch:
    """Checks each line or element by itself, and lists the first `listed` that are refused.

    A body that begins with `[` is an array, one that is a single object over several lines is that object, any other
    holds one object a line. With `ignore_unknown`, fields that an action does not have are dropped. Raises
    RequestRefused: 413 for more than `max_lines`, 400 for an empty body and for an array that is malformed.
    """
    text = text_of(body)
    if text.startswith(b"{") and _is_one_portion(text, max_lines):
        whole = parse_plain(text)
        if whole is not None and policy.accepts_all(whole):
            return CheckedBatch(list(whole))
    checked = CheckedBatch(listed=listed)
    for start, portion in _cut(text, max_lines):
        actions = _plain(portion)
        if actions is not None and policy.accepts_all(actions):
            checked.accepted.extend(actions)
            await asyncio.sleep(0)
            continue
        for within, few in portions(portion, _FEW, _FEW_BYTES):
            parsed = parse(few, ignore_unknown=ignore_unknown)
            if policy.accepts_all(parsed):
                checked.accepted.extend(parsed)
            else:
                _sort(few, policy.check(parsed), start + within, checked)
            await asyncio.sleep(0)
    return checked


def _sort(lines: Sequence[bytes], judged: Sequence[Action | Rejection], start: int, into: CheckedBatch) -> None:
    for index, (line, item) in enumerate(zip(lines, judged, strict=True), start):
        if isinstance(item, Action):
            into.accepted.append(item)
        elif line.strip(_BLANK):  # blank lines are no actions and no errors
            into.refuse(index, item)


def _plain(lines: Sequence[bytes]) -> list[Action] | None:
    """None where a line must be looked at by itself."""
    if max(map(len, lines)) > MAX_LINE_BYTES:
        return None
    text = b"\n".join(lines)
    return parse_plain(text) if count_byte(text, b"\n") == len(lines) - 1 else None


def text_of(body: bytes) -> bytes:
    """The body without a byte-order mark. Raises RequestRefused (400) where nothing is left, and for UTF-16."""
    text = body.removeprefix(_BYTE_ORDER_MARK)
    if text.startswith(_UTF_16):
        detail = "the body is UTF-16, as its byte-order mark says; UTF-8 is accepted"
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "body_not_utf8", detail)
    if not text or text.isspace():
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "body_empty", "the body is empty")
    return text


def _is_one_portion(text: bytes, max_lines: int) -> bool:
    """Whether it surely has few lines, none too long; to split them would take a fifth of the time to check them.

    A newline in each half of the longest line's length leaves no room for a longer one.
    """
    half = MAX_LINE_BYTES // 2
    return (
        len(text) <= _WHOLE_BYTES
        and count_lines(text) <= min(max_lines, _PORTION)
        and all(text.find(b"\n", at, at + half) >= 0 for at in range(0, len(text) - half + 1, half))
    )


def _cut(text: bytes, max_lines: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    first = text[:1] if text[:1] in (b"{", b"[") else text.lstrip()[:1]
    if first == b"[":
        elements = split_array(text, max_lines, _COMMAS_PER_LINE * max_lines)
        return portions(elements, _PORTION, _PORTION_BYTES)
    if first == b"{" and _is_one_object(text):
        return iter([(0, [text])])
    if count_lines(text) > max_lines:
        raise _too_many(max_lines)
    return line_portions(text, _PORTION, _PORTION_BYTES)


_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


def _is_one_object(text: bytes) -> bool:
    """Whether its first line is not JSON by itself, and all of it is."""
    end = text.lstrip().find(b"\n")
    return end > 0 and not _is_json(text.lstrip()[:end]) and _is_json(text)


def _is_json(text: bytes) -> bool:
    try:
        _decode_raw(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


def split_array(text: bytes, max_elements: int, max_commas: int) -> Iterator[bytes]:
    """The elements as they are written. Raises RequestRefused: 413 for more of them, or more commas; 400 for no array.

    Each comma could end an element: memory is not spent to find out.
    """
    if (commas := text.count(b",")) > max_commas:
        detail = f"the array has {commas} commas, those in its elements included; at most {max_commas} are read"
        raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_lines", detail)
    try:
        elements: Sequence[msgspec.Raw] = _elements(text)
    except (msgspec.DecodeError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else error
        detail = f"the body begins with [ and is not a JSON array: {why}"
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "array_malformed", detail) from error
    if len(elements) > max_elements:
        raise _too_many(max_elements)
    return map(bytes, elements)


def _too_many(max_lines: int) -> RequestRefused:
    detail = f"the batch has more lines; at most {max_lines} are accepted"
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_lines", detail)
