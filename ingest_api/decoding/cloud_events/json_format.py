"""A CloudEvent in JSON. Its data and its extensions are passed over."""

import json
from typing import Final, Never

import msgspec

from contract.log.action import Rejection, reject
from ingest_api.decoding.cloud_events.attributes import NAMES, REPEATED, Attributes

MAX_EVENT_BYTES: Final = 64 * 1024
"""What producers may rely on (CloudEvents 1.0, "Size Limits")."""

RULES: Final = {
    "event_too_large": f"a CloudEvent has at most {MAX_EVENT_BYTES} bytes",
    "not_json": "a CloudEvent is one JSON object in UTF-8",
    "not_object": "a CloudEvent is one JSON object",
    "nested_too_deep": "the data of a CloudEvent is not nested as deeply",
}

_QUOTED: Final = tuple(f'"{name}"'.encode() for name in NAMES)
_DIGITS: Final = 20

_decode = msgspec.json.Decoder(Attributes).decode


def attributes_in(text: bytes) -> Attributes | Rejection:
    """The attributes of the one event that is in `text`."""
    if len(text) > MAX_EVENT_BYTES:
        return _reject("event_too_large", text)
    try:
        attributes = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_carefully(text, None)
    except RecursionError:
        return _reject("nested_too_deep", text)
    return attributes if _names_are_unlike(text) else _read_carefully(text, attributes)


def _names_are_unlike(text: bytes) -> bool:
    """Whether no attribute can have been given twice."""
    return b"\\u" not in text and all(text.count(name) <= 1 for name in _QUOTED)


def _read_carefully(text: bytes, attributes: Attributes | None) -> Attributes | Rejection:
    """The standard library's reader shows what is repeated, and passes on what no attribute may hold."""
    try:
        read = _Members.read(text)
    except ValueError:
        return _reject("not_json", text)
    except RecursionError:
        return _reject("nested_too_deep", text)
    if not isinstance(read, _Members):
        return _reject("not_object", text)
    told: dict[str, object] = {}
    for name, value in read.pairs:
        if name in told:
            return reject("field_repeated", name, value, REPEATED)
        if name in NAMES:
            told[name] = value
    return attributes or Attributes(**told)


class _Members:
    """An object's members in their order, repeated ones too."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs

    @classmethod
    def read(cls, text: bytes) -> object:
        return json.loads(text.decode(), object_pairs_hook=cls, parse_int=_number, parse_constant=_no_number)


def _number(digits: str) -> float:
    """Python reads no integer of more than 4,300 digits; which one it is does not matter: no attribute is a number."""
    return int(digits) if len(digits) < _DIGITS else float(digits)


def _no_number(name: str) -> Never:
    raise ValueError(name)


def _reject(code: str, text: bytes) -> Rejection:
    return reject(code, None, text, RULES[code])
