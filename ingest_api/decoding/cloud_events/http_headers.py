"""A CloudEvent whose attributes are headers, in HTTP's binary content mode."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from contract.log.action import Rejection, reject
from ingest_api.decoding.cloud_events.attributes import NAMES, REPEATED, Attributes

RULES: Final = {
    "header_malformed": "in a header, %, spaces, quotes and whatever is not ASCII are percent-encoded UTF-8",
}

_ATTRIBUTES: Final = {f"ce-{name}".encode(): name for name in NAMES}
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(rb"\\(.)")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def is_cloud_event(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether an attribute is among the headers, whose names are in lower case."""
    return any(header in _ATTRIBUTES for header, _ in headers)


def attributes_in(headers: Iterable[tuple[bytes, bytes]]) -> Attributes | Rejection:
    """The attributes among headers, whose names are in lower case."""
    told: dict[str, str] = {}
    for header, written in headers:
        name = _ATTRIBUTES.get(header)
        if name is None:
            continue
        if name in told:
            return reject("field_repeated", name, written, REPEATED)
        value = _decoded(written)
        if value is None:
            return reject("header_malformed", name, written, RULES["header_malformed"])
        told[name] = value
    return Attributes(**told)


def _decoded(written: bytes) -> str | None:
    """A quoted string is unquoted first, then percent-encoding undone once (HTTP Protocol Binding 3.1.3.2)."""
    quoted = _QUOTED.fullmatch(written)
    encoded = _ESCAPED.sub(rb"\1", quoted[1]) if quoted else written
    if _BAD_ESCAPE.search(encoded) or not encoded.isascii():
        return None
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return None
