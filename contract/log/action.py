"""An action and the log's rules for it: constants with a version, so that every reader of the log decides alike."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from contract.hour import END_OF_TIME_MS
from contract.log.counts import count_byte, count_lines, stand_apart
from contract.shown import MAX_SHOWN, shown, shown_text
from contract.unit import unit_hint

RULES_VERSION: Final = 2
"""Incremented whenever a line would be judged differently than before.

2: records of aborted transactions are none; under 1 they were read like all others.
"""

MAX_USER: Final = 256
MAX_ID: Final = 128
MAX_BRACKETS: Final = 1 + MAX_USER + MAX_ID
"""As many as an action can have whose strings hold nothing else: a line with more is rejected without parsing.

Otherwise the depth of the caller's stack would decide how a deeply nested line is judged.
"""

_EVENT = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_C1_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")


class Action(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A user clicked, or was shown something. `timestamp` is in ms since the epoch, UTC.

    Decoding into this type checks types, ranges and lengths; `check` adds the characters.
    """

    timestamp: Annotated[int, msgspec.Meta(ge=0, lt=END_OF_TIME_MS)]
    user: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_USER)]
    event: str
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)] | None = None


FIELDS: Final = tuple(Action.__struct_fields__)

RULES: Final = {
    "not_json": "a line is one JSON object in UTF-8",
    "not_object": "a line is one JSON object",
    "nested_too_deep": f"a line has at most {MAX_BRACKETS} opening brackets",
    "unknown_field": f"an action has the fields {', '.join(FIELDS)} and no others",
    "timestamp_missing": "timestamp is required",
    "timestamp_not_integer": "timestamp is an integer: ms since the epoch",
    "timestamp_negative": "timestamp is 0 or later",
    "timestamp_after_2099": "timestamp is before 2100-01-01T00:00:00Z",
    "user_missing": "user is required",
    "user_not_text": "user is a string",
    "user_not_unicode": "user is valid Unicode: each half of a surrogate pair comes with the other",
    "user_empty": "user has at least one character",
    "user_too_long": f"user has at most {MAX_USER} characters",
    "user_control_character": "user has no control characters",
    "event_missing": "event is required",
    "event_not_text": "event is a string",
    "event_not_unicode": "event is valid Unicode: each half of a surrogate pair comes with the other",
    "event_malformed": "event is a lowercase letter followed by up to 31 of a-z, 0-9 and _",
    "id_not_text": "id is a string",
    "id_not_unicode": "id is valid Unicode: each half of a surrogate pair comes with the other",
    "id_empty": "id has at least one character",
    "id_too_long": f"id has at most {MAX_ID} characters",
    "id_control_character": "id has no control characters",
    "record_null": "a record has a value",
    "record_empty": "a record has at least one line",
    "record_too_large": "a record has at most 512 KiB",
    "record_too_many_lines": "a record has at most 1,000 lines",
    "record_not_a_rebuild": "a record with the header rebuild holds a rebuild of earlier records",
}
"""Each code of the log's rules, with the rule in words. A code never changes its meaning."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a line is not an action: a stable code, the field, its value (truncated) and the rule that it breaks."""

    code: str
    field: str | None
    value: str | None
    """None where there is none: the field is missing."""
    rule: str
    hint: str | None = None
    """What was probably meant, or is to be done."""

    @property
    def message(self) -> str:
        """One line for people."""
        told = self.rule if self.value is None else f"{self.field or 'line'} {self.value}: {self.rule}"
        return f"{told}; {self.hint}" if self.hint else told


def reject(code: str, field: str | None, value: object, rule: str | None = None) -> Rejection:
    """A Rejection whose value is shown truncated; `rule` is for codes outside RULES."""
    return Rejection(code, field, shown(value), rule or RULES[code])


def reject_timestamp(code: str, timestamp: float, rule: str | None = None) -> Rejection:
    """A Rejection that says which unit the timestamp seems to be in."""
    return Rejection(code, "timestamp", shown(timestamp), rule or RULES[code], unit_hint(timestamp))


def missing(field: str) -> Rejection:
    """A Rejection for a field that is not there."""
    code = f"{field}_missing"
    return Rejection(code, field, None, RULES[code])


def _check_text(field: str, value: object, longest: int) -> Rejection | None:
    if not isinstance(value, str):
        return reject(f"{field}_not_text", field, value)
    if not _is_unicode(value):
        return reject(f"{field}_not_unicode", field, value)
    if not value:
        return reject(f"{field}_empty", field, value)
    if len(value) > longest:
        return reject(f"{field}_too_long", field, value)
    if _CONTROL.search(value):
        return reject(f"{field}_control_character", field, value)
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_timestamp(value: object) -> Rejection | None:
    if isinstance(value, float):
        return reject_timestamp("timestamp_not_integer", value)
    if not isinstance(value, int) or isinstance(value, bool):
        return reject("timestamp_not_integer", "timestamp", value)
    if value < 0:
        return reject("timestamp_negative", "timestamp", value)
    if value >= END_OF_TIME_MS:
        return reject_timestamp("timestamp_after_2099", value)
    return None


def is_event(value: str) -> bool:
    """Whether `value` has the form of an event's name."""
    return _EVENT.fullmatch(value) is not None


def _check_event(value: object) -> Rejection | None:
    if not isinstance(value, str):
        return reject("event_not_text", "event", value)
    if not is_event(value):
        return reject("event_malformed", "event", value)
    return None


def check(fields: Mapping[str, object]) -> Action | Rejection:
    """The action that `fields` describe, or the first rule of the log that they break."""
    for name in fields:
        if name not in FIELDS:
            return reject("unknown_field", shown_text(name[: MAX_SHOWN + 1]) or '""', fields[name])
    for name in ("timestamp", "user", "event"):
        if name not in fields:
            return missing(name)
    broken = (
        _check_timestamp(fields["timestamp"])
        or _check_text("user", fields["user"], MAX_USER)
        or _check_event(fields["event"])
        or (None if fields.get("id") is None else _check_text("id", fields["id"], MAX_ID))
    )
    return broken or msgspec.convert(fields, Action)


def _brackets(text: bytes) -> int:
    return count_byte(text, b"{") + (count_byte(text, b"[") if b"[" in text else 0)


def parse_line(line: bytes) -> Action | Rejection:
    """The action in one line of JSON, or the first rule of the log that it breaks."""
    fields = fields_in(line)
    return fields if isinstance(fields, Rejection) else check(fields)


def fields_in(line: bytes) -> dict[str, object] | Rejection:
    """The object that is a line of JSON; of a name that is repeated, the last value."""
    if _brackets(line) > MAX_BRACKETS:
        return reject("nested_too_deep", None, line)
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _not_unicode(line) or reject("not_json", None, line)
    return fields if isinstance(fields, dict) else reject("not_object", None, line)


def _not_unicode(line: bytes) -> Rejection | None:
    r"""The field that holds half of a surrogate pair, as in `"\ud83d"`; None where that is not what is wrong.

    The decoder refuses such a line as a whole. The standard library's takes it, and some that are no JSON: so what it
    reads names the field, and never becomes an action.
    """
    if b"\\u" not in line:
        return None
    try:
        fields = json.loads(line.decode())
    except ValueError:
        return None
    for name in ("user", "event", "id") if isinstance(fields, dict) else ():
        value = fields.get(name)
        if isinstance(value, str) and not _is_unicode(value):
            return reject(f"{name}_not_unicode", name, value)
    return None


_decode_lines = msgspec.json.Decoder(Action).decode_lines


def parse_lines(text: bytes) -> list[Action | Rejection]:
    """What `parse_line` gives for each line of `text` (lines end in a newline, the last one need not)."""
    actions = parse_plain_lines(text)
    if actions is not None:
        return actions  # type: ignore[return-value] # a list of Action is read only as one of Action | Rejection
    return [parse_line(line) for line in text.removesuffix(b"\n").split(b"\n")]


def parse_plain_lines(text: bytes) -> list[Action] | None:
    """The actions, all lines decoded at once (0.2 us a line against 3 us); None where that does not do.

    The result is given only if it is sure to agree with `parse_line`: no control character can hide in the text, each
    newline separates two objects, and no line has too many brackets.
    """
    lines = count_lines(text)
    if (
        text.startswith(b"{")
        and b"\\" not in text
        and b"\x7f" not in text
        and (text.isascii() or not _C1_CONTROL.search(text))
        and stand_apart(text)
        and _brackets(text) < lines + MAX_BRACKETS
    ):
        try:
            actions = _decode_lines(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            actions = []
        if len(actions) == lines and all(map(is_event, {action.event for action in actions})):
            return actions
    return None


encode_action = msgspec.json.Encoder().encode
"""An action as one line of JSON, without the newline."""
