"""The key that comes with a request, wherever it stands."""

import binascii
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

Headers = Iterable[tuple[bytes, bytes]]
"""Names in lower case, as ASGI has them."""

_BEARER: Final = b"Bearer "

WAYS: Final = "Authorization: Bearer KEY, X-API-Key: KEY, or Basic with the key as the user"


def key_in_headers(headers: Headers) -> bytes | None:
    """The key in X-API-Key, else in Authorization; None where there is none that can be read."""
    authorization = None
    for name, value in headers:
        if name == b"x-api-key":
            return value.strip()
        if name == b"authorization" and authorization is None:
            authorization = value
    return None if authorization is None else _of_authorization(authorization)


def key_in_query(query: bytes, names: Collection[bytes]) -> bytes | None:
    """The value of the first parameter that has one of these names."""
    for pair in query.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if equals and name in names:
            return unquote_to_bytes(value)
    return None


def _of_authorization(value: bytes) -> bytes | None:
    if value.startswith(_BEARER):
        return value[len(_BEARER) :].strip()
    scheme, _, credentials = value.strip().partition(b" ")
    scheme = scheme.lower()
    if scheme == b"bearer":
        return credentials.strip()
    if scheme != b"basic":
        return None
    try:
        return binascii.a2b_base64(credentials).partition(b":")[0]
    except binascii.Error:
        return None
