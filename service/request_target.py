"""What is wrong with a request's target that the parser does not take."""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from contract.log.action import reject
from contract.shown import shown_text
from service.problems import Problem, problem

_TARGET: Final = re.compile(rb"[A-Z]+ ([^ \r\n]*[^!-~\r\n ][^ \r\n]*)")
_UNENCODED: Final = re.compile(rb"[^!-~]")
_RULE: Final = "other characters than ASCII are percent-encoded, as UTF-8: é is %C3%A9"


def explain_target(data: bytes) -> Problem:
    """The problem about a byte that must be percent-encoded: it names the parameter where `data` holds the target."""
    found = _TARGET.search(data)
    if found is None:
        return _problem(None, None, f"in the request's target {_RULE}")
    before, separator, query = found[1].partition(b"?")
    if not separator or _UNENCODED.search(before):
        return _refused("path", before)
    pair = next(pair for pair in query.split(b"&") if _UNENCODED.search(pair))
    name, _, value = pair.partition(b"=")
    return _refused(shown_text(unquote_to_bytes(name).decode(errors="replace")), value)


def _refused(field: str, value: bytes) -> Problem:
    rejection = reject("target_not_encoded", field, value, _RULE)
    return _problem(field, rejection.value, rejection.message)


def _problem(field: str | None, value: str | None, detail: str) -> Problem:
    bare = problem(HTTPStatus.BAD_REQUEST, "target_not_encoded", detail)
    return bare.model_copy(update={"field": field, "value": value, "rule": _RULE})
