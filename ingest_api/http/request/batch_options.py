"""What a batch's query asks for."""

from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from contract.log.action import reject
from contract.shown import shown_text
from ingest_api.decoding.query import KEY
from ingest_api.errors import RequestRefused


class BatchOptions(NamedTuple):
    """How a batch is taken, beyond what it is."""

    strict: bool = False
    """Anything rejected refuses the whole batch."""
    ignore_unknown: bool = False
    """Fields that an action does not have are dropped, not refused."""


_NONE: Final = BatchOptions()
_VALUES: Final = {"strict": ("false", "true"), "unknown_fields": ("refuse", "ignore")}
"""Each parameter's values: the default, and the other one."""
_RULES: Final = {name: f"{name} is {default} or {other}" for name, (default, other) in _VALUES.items()}


def options_in(query: bytes) -> BatchOptions:
    """The options in a query string; a key is none of them. Raises RequestRefused (400) for others than these."""
    if not query:
        return _NONE
    given: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == KEY:
            continue
        if name not in _VALUES:
            raise _refused("parameter_unknown", name, value, f"the parameters are {' and '.join(_VALUES)}")
        if name in given:
            raise _refused("parameter_repeated", name, value, "each parameter is given once")
        if value not in _VALUES[name]:
            raise _refused("parameter_malformed", name, value, _RULES[name])
        given[name] = value
    return BatchOptions(given.get("strict") == "true", given.get("unknown_fields") == "ignore")


def _refused(code: str, name: str, value: str, rule: str) -> RequestRefused:
    rejection = reject(code, shown_text(name), value, rule)
    return RequestRefused(HTTPStatus.BAD_REQUEST, code, rejection.message, rejection=rejection)
