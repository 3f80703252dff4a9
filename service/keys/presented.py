"""The key that comes with a request, wherever it stands."""

import binascii
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

Header = tuple[bytes, bytes]
"""Its name in lower case, as ASGI has it, and its value."""
Headers = Iterable[Header]

_OWN: Final = b"x-api-key"
_AUTHORIZATION: Final = b"authorization"

WAYS: Final = "Authorization: Bearer KEY, X-API-Key: KEY, or Basic with the key as the user"


def key_header(headers: Headers) -> Header | None:
    """The header that shall hold a key: X-API-Key, else Authorization; None where there is neither."""
    authorization = None
    for header in headers:
        name = header[0]
        if name == _OWN:
            return header
        if name == _AUTHORIZATION and authorization is None:
            authorization = header
    return authorization


def key_in_header(header: Header) -> bytes | None:
    """The key in such a header; None where it is none that can be read."""
    name, value = header
    return value.strip() if name == _OWN else _of_authorization(value)


def key_in_query(query: bytes, names: Collection[bytes]) -> bytes | None:
    """The value of the first parameter that has one of these names."""
    for pair in query.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if equals and name in names:
            return unquote_to_bytes(value)
    return None


def _of_authorization(value: bytes) -> bytes | None:
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
