from random import Random
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.hour import END_OF_TIME_MS
from contract.log.action import MAX_ID, MAX_USER, Action, Rejection
from ingest_api.decoding.query import action_in_query

GOOD = "timestamp=1700000000000&user=u1&event=click"


def text_of_a_field(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=longest)


actions = st.builds(
    Action,
    timestamp=st.integers(0, END_OF_TIME_MS - 1),
    user=text_of_a_field(MAX_USER),
    event=st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
    id=st.none() | text_of_a_field(MAX_ID),
)


@given(actions, st.booleans(), st.randoms())
def test_an_action_is_read_from_its_query_however_a_client_encodes_it(
    action: Action,
    spaces_as_plus: bool,  # noqa: FBT001 - drawn, not called by people
    random: Random,
) -> None:
    fields = {"timestamp": action.timestamp, "user": action.user, "event": action.event}
    pairs = list((fields if action.id is None else {**fields, "id": action.id}).items())
    random.shuffle(pairs)
    query = urlencode(pairs) if spaces_as_plus else urlencode(pairs, quote_via=quote, safe="")
    assert action_in_query(query.encode()) == action


@given(st.binary(max_size=200))
def test_any_query_is_an_action_or_one_rejection(query: bytes) -> None:
    checked = action_in_query(query)
    assert isinstance(checked, Action) or checked.message.isprintable()


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", "timestamp_missing", "timestamp"),
        ("user=u1&event=click", "timestamp_missing", "timestamp"),
        ("timestamp=1&event=click", "user_missing", "user"),
        ("timestamp=1&user=u1", "event_missing", "event"),
        ("timestamp=1&user=&event=click", "user_empty", "user"),
        (f"{GOOD}&id=", "id_empty", "id"),
        (f"{GOOD}&user=u2", "parameter_repeated", "user"),
        (f"{GOOD}&timestamp=1700000000000", "parameter_repeated", "timestamp"),
        (f"{GOOD}&session=1", "unknown_field", "session"),
        (f"{GOOD}&Id=1", "unknown_field", "Id"),
        (f"{GOOD}&id", "query_malformed", "id"),
        (f"{GOOD}&_&id", "query_malformed", "id"),
        (f"{GOOD}&%_=1", "query_escape_malformed", "%_"),
        (GOOD.replace("u1", "%"), "query_escape_malformed", "user"),
        (GOOD.replace("u1", "100%"), "query_escape_malformed", "user"),
        (GOOD.replace("u1", "%4"), "query_escape_malformed", "user"),
        (GOOD.replace("u1", "%zz"), "query_escape_malformed", "user"),
        (GOOD.replace("u1", "%ff"), "query_not_utf8", "user"),
        (GOOD.replace("u1", "%ed%a0%80"), "query_not_utf8", "user"),
        (f"{GOOD}&%ff=1", "query_not_utf8", "\ufffd"),
        (f"{GOOD}&=1", "unknown_field", '""'),
        (f"{GOOD}&__=1", "unknown_field", "__"),
        (GOOD.replace("u1", "a%0Ab"), "user_control_character", "user"),
        (GOOD.replace("u1", "%C2%85"), "user_control_character", "user"),
        (GOOD.replace("click", "Click"), "event_malformed", "event"),
        (GOOD.replace("u1", "u" * 257), "user_too_long", "user"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused_with_its_code(query: str, code: str, field: str | None) -> None:
    checked = action_in_query(query.encode())
    assert isinstance(checked, Rejection)
    assert (checked.code, checked.field) == (code, field)


@pytest.mark.parametrize("query", [f"{GOOD}&", f"&{GOOD}", GOOD.replace("&", "&&"), f"&&{GOOD}&&&"])
def test_nothing_between_two_ampersands_is_no_parameter(query: str) -> None:
    assert action_in_query(query.encode()) == Action(1_700_000_000_000, "u1", "click")


@pytest.mark.parametrize("query", [f"{GOOD}&_=1764000000000", f"_=1&{GOOD}", f"_&{GOOD}&_=%C3%A9&_=2"])
def test_a_parameter_that_only_keeps_caches_away_is_passed_over(query: str) -> None:
    assert action_in_query(query.encode()) == Action(1_700_000_000_000, "u1", "click")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "100%",
            "user 100%: % and two hexadecimal digits stand for a byte; % itself is percent-encoded as %25",
        ),
        ("%FCber", "user %FCber: a query is UTF-8, percent-encoded: é is %C3%A9"),
    ],
)
def test_the_message_names_the_parameter_its_value_as_it_was_sent_and_what_to_do(value: str, message: str) -> None:
    checked = action_in_query(GOOD.replace("u1", value).encode())
    assert isinstance(checked, Rejection)
    assert checked.message == message


@pytest.mark.parametrize(
    "timestamp",
    ["", "1e3", "1.0", "+1", "%2B1", "%201", "1%20", "+1+", "0x1", "1_000", "01", "-", "--1", "1,000", "%D9%A1", "nan"],
)
def test_a_timestamp_is_a_plain_integer_and_nothing_that_could_be_read_as_one(timestamp: str) -> None:
    checked = action_in_query(f"timestamp={timestamp}&user=u1&event=click".encode())
    assert isinstance(checked, Rejection)
    assert (checked.code, checked.field) == ("timestamp_not_integer", "timestamp")


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        ("-1", "timestamp_negative"),
        ("-" + "9" * 5000, "timestamp_negative"),
        (str(END_OF_TIME_MS), "timestamp_after_2099"),
        ("9" * 5000, "timestamp_after_2099"),
    ],
)
def test_an_integer_out_of_range_is_refused_however_long_it_is(timestamp: str, code: str) -> None:
    checked = action_in_query(f"timestamp={timestamp}&user=u1&event=click".encode())
    assert isinstance(checked, Rejection)
    assert checked.code == code
    assert len(checked.value) < 80


def test_names_may_be_percent_encoded_too() -> None:
    assert action_in_query(b"%74imestamp=1&us%65r=u&event=click") == Action(1, "u", "click")


def test_an_equals_sign_belongs_to_the_value() -> None:
    assert action_in_query(b"timestamp=1&user=a=b&event=click") == Action(1, "a=b", "click")
