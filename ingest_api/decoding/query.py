"""The action in a query string: `timestamp=1700000000000&user=u1&event=click`."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from contract.log.action import Action, Rejection, check, reject
from contract.shown import shown_text

RULES: Final = {
    "query_malformed": "a query is name=value pairs, separated by &",
    "query_escape_malformed": "% and two hexadecimal digits stand for a byte; % itself is percent-encoded as %25",
    "query_not_utf8": "a query is UTF-8, percent-encoded: é is %C3%A9",
    "parameter_repeated": "each parameter is given once",
}

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MANY_DIGITS: Final = 20
"""So many digits are out of any range, whatever follows."""
_CACHE_BUSTER: Final = "_"
"""What jQuery and others add, so that no cache answers: it says nothing about the action."""
KEY: Final = "key"
"""Who sends it; see service/keys."""
_PASSED_OVER: Final = (_CACHE_BUSTER, KEY)


def action_in_query(query: bytes, arrived: int | None = None) -> Action | Rejection:
    """The action, or the first rule that the query breaks. `+` is a space, as forms and most clients write it.

    Nothing between two `&`, and the parameters `_` and `key`, are passed over. `arrived`, ms since the epoch, is the
    timestamp of an action that names none; None: an action must name one.
    """
    fields: dict[str, object] = {}
    for pair in query.split(b"&"):
        if not pair:
            continue
        decoded = _decode_pair(pair)
        if isinstance(decoded, Rejection):
            return decoded
        name, value = decoded
        if name in fields and name not in _PASSED_OVER:
            return reject("parameter_repeated", shown_text(name), value, RULES["parameter_repeated"])
        fields[name] = _integer(value) if name == "timestamp" else value
    fields.pop(_CACHE_BUSTER, None)
    fields.pop(KEY, None)
    if arrived is not None:
        fields.setdefault("timestamp", arrived)
    return check(fields)


def _decode_pair(pair: bytes) -> tuple[str, str] | Rejection:
    name, equals, value = pair.partition(b"=")
    if not equals:
        return (_CACHE_BUSTER, "") if name == b"_" else _refuse("query_malformed", pair)
    if b"%" in pair or b"+" in pair:
        if _BAD_ESCAPE.search(pair):
            return _refuse("query_escape_malformed", pair)
        name, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in (name, value))
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        return _refuse("query_not_utf8", pair)


def _refuse(code: str, pair: bytes) -> Rejection:
    """Names the parameter, and shows its value as it was sent."""
    name, _, value = pair.partition(b"=")
    return reject(code, shown_text(unquote_to_bytes(name).decode(errors="replace")) or "query", value, RULES[code])


def _integer(text: str) -> int | str:
    """The integer as JSON writes one; any other text is left as it is, for `check` to refuse."""
    return int(text[:_MANY_DIGITS]) if _INTEGER.fullmatch(text) else text
