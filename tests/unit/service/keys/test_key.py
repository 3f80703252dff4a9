from datetime import UTC, datetime

import pytest

from service.keys.key import Key, Previous, Scope, key_line, parse_key

SHA = "0123456789abcdef" * 4
INSTANT = datetime(2027, 1, 1, tzinfo=UTC)
ALL_OF_IT = Key(
    name="shop.web-1",
    sha256=SHA,
    scopes=frozenset({Scope.WRITE}),
    events=("click",),
    origins=("https://shop.example",),
    actions_per_second=500,
    requests_per_second=0.5,
    hours=24,
    expires=INSTANT,
    previous=Previous("f" * 64, INSTANT),
)


def line(**changes: str) -> bytes:
    """A line with JSON texts for some fields; an empty one leaves the field out."""
    fields = {"name": '"shop"', "sha256": f'"{SHA}"', "scopes": '["write"]', **changes}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items() if value) + "}").encode()


def test_a_key_is_read_as_it_was_written() -> None:
    assert parse_key(key_line(ALL_OF_IT)) == ALL_OF_IT


def test_a_line_names_only_what_is_not_the_default() -> None:
    assert key_line(parse_key(line())) == line()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": '""'}, "a name has"),
        ({"name": '"a b"'}, "a name has"),
        ({"name": '".a"'}, "a name has"),
        ({"name": f'"{"a" * 65}"'}, "a name has"),
        ({"name": ""}, "name"),
        ({"sha256": f'"{SHA.upper()}"'}, "64 hexadecimal digits"),
        ({"sha256": '"uac_secret"'}, "64 hexadecimal digits"),
        ({"scopes": "[]"}, "at least one scope"),
        ({"scopes": '["own"]'}, "own"),
        ({"scopes": '["backfill"]'}, "has the scope write, too"),
        ({"scopes": '["write","read"]', "origins": '["https://shop.example"]'}, "write alone"),
        ({"origins": '["shop.example"]'}, "is not an origin"),
        ({"events": '["Click"]'}, "is not the name of an event"),
        ({"events": "[]"}, "events"),
        ({"actions_per_second": "0"}, "actions_per_second"),
        ({"requests_per_second": "-1"}, "requests_per_second"),
        ({"hours": "0"}, "hours"),
        ({"expires": '"2027-01-01T00:00:00"'}, "expires"),
        ({"expires": '"tomorrow"'}, "expires"),
        ({"previous": '{"sha256":"x","expires":"2027-01-01T00:00:00Z"}'}, "64 hexadecimal digits"),
        ({"key": '"uac_secret"'}, "unknown field"),
    ],
)
def test_a_line_that_describes_no_key_is_refused_with_the_reason(changes: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_key(line(**changes))


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"\xff", b"null"])
def test_what_is_no_object_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expected|truncated|malformed|utf"):
        parse_key(broken)


@pytest.mark.parametrize(
    ("scopes", "is_write_only"), [(["write"], True), (["write", "backfill"], False), (["read"], False)]
)
def test_only_a_key_that_writes_and_nothing_else_is_write_only(scopes: list[str], is_write_only: bool) -> None:  # noqa: FBT001 - a column of a table
    key = Key(name="k", sha256=SHA, scopes=frozenset(map(Scope, scopes)))
    assert key.is_write_only is is_write_only
