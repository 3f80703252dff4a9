import pytest

from service.keys.errors import Forbidden, KeyRefused, RateExceeded, Unauthenticated
from service.keys.problems import explain_refused


@pytest.mark.parametrize(
    ("error", "status", "header", "value"),
    [
        (Unauthenticated("key_missing", "x"), 401, "WWW-Authenticate", 'Bearer realm="collector"'),
        (
            Unauthenticated("key_unknown", "x"),
            401,
            "WWW-Authenticate",
            'Bearer realm="collector", error="invalid_token"',
        ),
        (
            Forbidden("scope_missing", "x", "read"),
            403,
            "WWW-Authenticate",
            'Bearer realm="collector", error="insufficient_scope", scope="read"',
        ),
        (
            Forbidden("origin_refused", "x"),
            403,
            "WWW-Authenticate",
            'Bearer realm="collector", error="insufficient_scope"',
        ),
        (RateExceeded("x", 7), 429, "Retry-After", "7"),
    ],
)
def test_each_refusal_says_in_a_header_what_to_do(error: KeyRefused, status: int, header: str, value: str) -> None:
    told = explain_refused(error)
    assert (told.problem.status, told.problem.code, told.problem.detail) == (status, error.code, "x")
    assert told.headers == {header: value}


def test_people_are_asked_for_a_key_where_they_read_and_not_once_they_have_one() -> None:
    asked = explain_refused(Unauthenticated("key_missing", "x"), asks_people=True)
    assert asked.headers == {"WWW-Authenticate": 'Basic realm="collector", charset="UTF-8"'}
    refused = explain_refused(Forbidden("scope_missing", "x", "read"), asks_people=True)
    assert "Basic" not in refused.headers["WWW-Authenticate"]
