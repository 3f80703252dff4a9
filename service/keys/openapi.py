"""What OpenAPI says about keys, where they are on: how they are sent, what each path needs, and what is refused."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

from service.keys.guard import KeyGuard
from service.openapi import documented

_CHALLENGE: Final = {
    "WWW-Authenticate": {"description": "How a key is sent, and what is wrong with it.", "schema": {"type": "string"}}
}
_PROBLEMS: Final = documented(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    descriptions={
        HTTPStatus.UNAUTHORIZED: "No key came, or none that is valid.",
        HTTPStatus.FORBIDDEN: "The key does not allow this: `code` says what it lacks.",
        HTTPStatus.TOO_MANY_REQUESTS: "The key's rate is used up. Nothing of the request was done: send it again.",
    },
    headers={
        HTTPStatus.UNAUTHORIZED: _CHALLENGE,
        HTTPStatus.FORBIDDEN: _CHALLENGE,
        HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    },
)
_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key is the user; no password."},
}


def key_docs(guard: KeyGuard | None) -> Callable[[dict[str, Any]], None]:
    """What makes a service's document say which keys it wants: without keys nothing."""
    return (lambda _: None) if guard is None else (lambda document: _add_keys(document, guard))


def _add_keys(document: dict[str, Any], guard: KeyGuard) -> None:
    """Says of each operation of an OpenAPI document what key it needs."""
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes |= _SCHEMES
    for path, operations in document["paths"].items():
        needed = guard.scope_of(path)
        if needed is None:
            continue
        in_url = {f"query_{name}": _in_query(name) for name in _names(guard, path)}
        schemes |= in_url
        for operation in operations.values():
            operation["security"] = [{scheme: [needed.value]} for scheme in (*_SCHEMES, *in_url)]
            # What the path has of its own under these statuses stays.
            operation["responses"] = {
                **{str(status): told for status, told in _PROBLEMS.items()},
                **operation["responses"],
            }


def _names(guard: KeyGuard, path: str) -> Iterator[str]:
    return (name.decode() for name in guard.url_keys.get(path, ()))


def _in_query(name: str) -> dict[str, Any]:
    described = "For beacons and images, which browsers let send no headers; of a key that only writes."
    return {"type": "apiKey", "in": "query", "name": name, "description": described}
