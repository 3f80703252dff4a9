"""The action in a query string: `timestamp=1700000000000&user=u1&event=click`."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from contract.action import MAX_SHOWN_VALUE, Action, Rejection, check, reject

RULES: Final = {
    "query_malformed": "a query is name=value pairs, separated by &",
    "query_not_utf8": "a query is percent-encoded UTF-8",
    "parameter_repeated": "each parameter is given once",
}

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MANY_DIGITS: Final = 20
"""So many digits are out of any range, whatever follows."""


def action_in_query(query: bytes, arrived: int | None = None) -> Action | Rejection:
    """The action, or the first rule that the query breaks. `+` is a space, as forms and most clients write it.

    `arrived`, ms since the epoch, is the timestamp of an action that names none; None: an action must name one.
    """
    fields: dict[str, object] = {}
    for pair in query.split(b"&") if query else ():
        name, value = _decode_pair(pair)
        if isinstance(name, Rejection):
            return name
        if name in fields:
            return reject("parameter_repeated", name[:MAX_SHOWN_VALUE], value, RULES["parameter_repeated"])
        fields[name] = _integer(value) if name == "timestamp" else value
    if arrived is not None:
        fields.setdefault("timestamp", arrived)
    return check(fields)


def _decode_pair(pair: bytes) -> tuple[str | Rejection, str]:
    name, equals, value = pair.partition(b"=")
    if not equals or _BAD_ESCAPE.search(pair):
        return reject("query_malformed", None, pair, RULES["query_malformed"]), ""
    if b"%" in pair or b"+" in pair:
        name, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in (name, value))
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        return reject("query_not_utf8", None, pair, RULES["query_not_utf8"]), ""


def _integer(text: str) -> int | str:
    """The integer as JSON writes one; any other text is left as it is, for `check` to refuse."""
    return int(text[:_MANY_DIGITS]) if _INTEGER.fullmatch(text) else text
