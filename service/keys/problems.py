"""What is told to whom a key does not let pass.

401  `key_missing`, `key_unknown`, `key_expired`
403  `scope_missing`, `origin_refused`, `key_in_url`
429  `rate_exceeded`: try again after Retry-After seconds
"""

from collections.abc import Mapping
from typing import Final

from service.keys.errors import Forbidden, KeyRefused, RateExceeded
from service.problems import Explained, problem

_BEARER: Final = 'Bearer realm="collector"'
_BASIC: Final = 'Basic realm="collector", charset="UTF-8"'


def explain_refused(error: KeyRefused, *, asks_people: bool = False) -> Explained:
    """The problem and its headers; with `asks_people`, browsers ask for a user name, which is the key."""
    return Explained(problem(error.status, error.code, str(error)), _headers(error, asks_people=asks_people))


def _headers(error: KeyRefused, *, asks_people: bool) -> Mapping[str, str]:
    if isinstance(error, RateExceeded):
        return {"Retry-After": str(error.seconds)}
    if isinstance(error, Forbidden):
        scope = f', scope="{error.scope}"' if error.scope else ""
        return {"WWW-Authenticate": f'{_BEARER}, error="insufficient_scope"{scope}'}
    if asks_people:
        # Alone: Chromium asks for nothing where another scheme stands before it on the same line.
        return {"WWW-Authenticate": _BASIC}
    invalid = "" if error.code == "key_missing" else ', error="invalid_token"'
    return {"WWW-Authenticate": f"{_BEARER}{invalid}"}
