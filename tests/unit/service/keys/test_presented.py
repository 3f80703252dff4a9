from base64 import b64encode

import pytest

from service.keys.presented import Header, key_header, key_in_header, key_in_query

KEY = b"uac_k"


def key_in_headers(headers: list[Header]) -> bytes | None:
    header = key_header(headers)
    return None if header is None else key_in_header(header)


def basic(credentials: bytes) -> bytes:
    return b"Basic " + b64encode(credentials)


@pytest.mark.parametrize(
    "value",
    [b"Bearer uac_k", b"bearer  uac_k ", basic(b"uac_k:"), basic(b"uac_k:any"), basic(b"uac_k"), b"basic dWFjX2s6"],
)
def test_a_key_comes_as_a_bearer_or_as_the_user_of_basic(value: bytes) -> None:
    assert key_in_headers([(b"host", b"api"), (b"authorization", value)]) == KEY


def test_a_header_of_its_own_goes_before_what_a_proxy_may_have_been_sent() -> None:
    authorization = b"authorization", b"Bearer other"
    own = b"x-api-key", b" uac_k "
    assert key_in_headers([authorization, own]) == key_in_headers([own, authorization]) == KEY


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Digest uac_k")],
        [(b"authorization", b"uac_k")],
        [(b"authorization", b"Basic \xff")],
        [(b"authorization", b"Basic a")],
        [(b"cookie", b"key=uac_k")],
    ],
)
def test_what_names_no_key_is_none(headers: list[tuple[bytes, bytes]]) -> None:
    assert not key_in_headers(headers)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (b"key=uac_k", KEY),
        (b"user=u&key=uac%5Fk&id=1", KEY),
        (b"key=uac_k&key=other", KEY),
        (b"", None),
        (b"key", None),
        (b"monkey=uac_k", None),
        (b"user=key=uac_k", None),
    ],
)
def test_a_key_in_a_query_is_the_first_parameter_of_its_name(query: bytes, key: bytes | None) -> None:
    assert key_in_query(query, (b"key",)) == key
