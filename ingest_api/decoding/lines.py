"""Lines as the API reads them: by the log's rules, each field once, unknown ones dropped where that is asked for."""

import json
from collections.abc import Sequence
from typing import Final, cast

from contract.log.action import (
    FIELDS,
    Action,
    Rejection,
    check,
    fields_in,
    parse_line,
    parse_lines,
    parse_plain_lines,
    reject,
)
from contract.log.counts import count_byte

MAX_LINE_BYTES: Final = 16 * 1024
"""No action is as long, even if each of its characters is written as an escape."""

RULES: Final = {
    "line_too_long": f"a line has at most {MAX_LINE_BYTES} bytes",
    "field_repeated": "each field is given once",
}

_QUOTES: Final = 10
"""Around the names of three fields and two values that are text."""
_QUOTES_OF_ID: Final = 4


def parse(lines: Sequence[bytes], *, ignore_unknown: bool) -> list[Action | Rejection]:
    """One entry a line. An array's element may itself be written over several lines."""
    text = b"\n".join(lines)
    if count_byte(text, b"\n") == len(lines) - 1 and max(map(len, lines), default=0) <= MAX_LINE_BYTES:
        return parse_text(text + b"\n", ignore_unknown=ignore_unknown)
    return [_parse_one(line, ignore_unknown=ignore_unknown) for line in lines]


def parse_plain(text: bytes) -> list[Action] | None:
    """The actions in `text`, no line of which is too long; None where a line must be looked at by itself."""
    actions = parse_plain_lines(text)
    return actions if actions is not None and count_byte(text, b'"') == _quotes_of(actions) else None


def parse_text(text: bytes, *, ignore_unknown: bool) -> list[Action | Rejection]:
    """One entry a line of `text`, none of which is too long."""
    parsed = parse_lines(text)
    if Rejection not in set(map(type, parsed)) and count_byte(text, b'"') == _quotes_of(cast("list[Action]", parsed)):
        return parsed
    lines = text.removesuffix(b"\n").split(b"\n")
    return [_judge(line, item, ignore_unknown=ignore_unknown) for line, item in zip(lines, parsed, strict=True)]


def _parse_one(line: bytes, *, ignore_unknown: bool) -> Action | Rejection:
    if len(line) > MAX_LINE_BYTES:
        return reject("line_too_long", None, line, RULES["line_too_long"])
    return _judge(line, parse_line(line), ignore_unknown=ignore_unknown)


def _judge(line: bytes, item: Action | Rejection, *, ignore_unknown: bool) -> Action | Rejection:
    """What the API makes of a line that the log's rules take for `item`: of a repeated field, they take the last."""
    if isinstance(item, Rejection):
        if not ignore_unknown or item.code != "unknown_field":
            return item
        item = _parse_known(line)
    if isinstance(item, Rejection) or line.count(b'"') == _quotes_of([item]):
        return item
    return _repeated_field(line) or item


def _parse_known(line: bytes) -> Action | Rejection:
    fields = fields_in(line)
    if isinstance(fields, Rejection):
        return fields
    return check({name: value for name, value in fields.items() if name in FIELDS})


def _quotes_of(actions: Sequence[Action]) -> int:
    """The fewest quotes that these can be written with; lines that repeat a field have more."""
    ids = len(actions) - [action.id for action in actions].count(None)
    return _QUOTES * len(actions) + _QUOTES_OF_ID * ids


def _repeated_field(line: bytes) -> Rejection | None:
    """Numbers stay text here: those of unknown fields may be of any length."""
    pairs = json.loads(line.decode(), object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str)
    seen = set()
    for name, value in pairs:
        if name in seen and name in FIELDS:
            return reject("field_repeated", name, value, RULES["field_repeated"])
        seen.add(name)
    return None
