import json
import re

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.hour import END_OF_TIME_MS
from contract.log.action import (
    FIELDS,
    MAX_BRACKETS,
    MAX_ID,
    MAX_USER,
    RULES,
    Action,
    Rejection,
    check,
    encode_action,
    parse_line,
    parse_lines,
)
from contract.shown import MAX_SHOWN

CLICK = b'{"timestamp":1,"user":"u","event":"click"}'
FULL = b"[" * MAX_ID
BRACKETS = b'{"timestamp":1,"user":"%s","event":"click","id":"%s"}' % (FULL + FULL, FULL)
"""As many brackets as an action can have; one more only where a field is named twice."""


def text_of_a_field(longest: int) -> st.SearchStrategy[str]:
    """Texts that the log's rules accept: no surrogates, no control characters."""
    return st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=longest)


def actions() -> st.SearchStrategy[Action]:
    return st.builds(
        Action,
        timestamp=st.integers(0, END_OF_TIME_MS - 1),
        user=text_of_a_field(MAX_USER),
        event=st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
        id=st.none() | text_of_a_field(MAX_ID),
    )


def near_actions() -> st.SearchStrategy[dict[str, object]]:
    """Objects that are actions, or break a rule or two."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=4,
    )
    edge = st.sampled_from([-1, 0, END_OF_TIME_MS - 1, END_OF_TIME_MS, 10**30])
    text = st.text(max_size=8) | st.sampled_from(["", "u", "é", "\x7f", "\x85", "\u200b", "}\n{", "a" * 129, "é" * 257])
    return st.fixed_dictionaries(
        {},
        optional={
            "timestamp": edge | st.integers() | anything,
            "user": text | anything,
            "event": st.sampled_from(["click", "impression", "Click", "é", ""]) | anything,
            "id": st.none() | text | anything,
            "extra": anything,
        },
    )


def lines() -> st.SearchStrategy[bytes]:
    def written(fields: dict[str, object], ascii_only: bool, tight: bool) -> bytes:  # noqa: FBT001 - drawn, not called by people
        separators = (",", ":") if tight else None
        return json.dumps(fields, ensure_ascii=ascii_only, separators=separators).encode(errors="surrogatepass")

    return st.one_of(
        actions().map(encode_action),
        st.builds(written, near_actions(), st.booleans(), st.booleans()),
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"",
                b" ",
                b"{",
                b"}",
                b"{}",
                b"[]",
                b"null",
                b"\xef\xbb\xbf" + CLICK,
                CLICK.replace(b":1", b":1.0"),
                CLICK.replace(b":1", b":1e3"),
                CLICK.replace(b":1", b":-0"),
                CLICK.replace(b"}", b',"user":"v"}'),
                CLICK.replace(b'"u"', b'"\\u0085"'),
                CLICK.replace(b'"u"', b'"\xc2\x85"'),
                CLICK.replace(b'"u"', b'"\x7f"'),
                CLICK.replace(b'"u"', b'"\xed\xa0\x80"'),
                BRACKETS,
            ]
        ),
    )


def texts() -> st.SearchStrategy[bytes]:
    """Lines joined as they should be, and as they should not: on one line, over two lines, CRLF, blank lines, a BOM."""
    joint = st.sampled_from([b"\n"] * 6 + [b"", b" ", b"\r\n", b"\n\n", b"\r", b",", b"\x85", b"\x00", b"\xe2\x80\xa8"])
    pieces = st.lists(st.tuples(lines(), joint), max_size=6)
    return pieces.map(lambda pairs: b"".join(line + end for line, end in pairs))


def line_by_line(text: bytes) -> list[Action | Rejection]:
    return [parse_line(line) for line in text.removesuffix(b"\n").split(b"\n")]


@settings(max_examples=1000)
@given(texts())
@example(b"")
@example(b"\n")
@example(CLICK + CLICK + b"\n" + CLICK[:-1] + b"\n}")
@example(CLICK[:-1] + b"\n,\n" + CLICK[1:])
@example(CLICK.replace(b"u", b"}\n{"))
@example(CLICK.replace(b"}", b',"id":{}\n{}}'))
@example(CLICK + b"\n" + CLICK + CLICK)
@example(CLICK + b"\r\n" + CLICK + b"\r\n")
@example(CLICK + b"\n" + BRACKETS)
@example(CLICK + b"\n" + BRACKETS.replace(b"{", b'{"user":"[",'))
def test_parse_lines_agrees_line_by_line_with_parse_line(text: bytes) -> None:
    assert parse_lines(text) == line_by_line(text)


@settings(max_examples=500)
@given(st.lists(actions(), min_size=1, max_size=5), st.data())
def test_parse_lines_agrees_with_parse_line_when_any_byte_of_good_lines_is_changed(
    good: list[Action], data: st.DataObject
) -> None:
    text = bytearray(b"\n".join(map(encode_action, good)))
    slot = data.draw(st.integers(0, len(text) - 1))
    text[slot] = data.draw(st.integers(0, 255))
    assert parse_lines(bytes(text)) == line_by_line(bytes(text))


@given(actions())
def test_a_line_reads_back_as_the_action_it_was_written_from(action: Action) -> None:
    line = encode_action(action)
    assert b"\n" not in line
    assert parse_line(line) == action


@given(actions())
def test_an_action_s_canonical_line_does_not_depend_on_how_its_producer_wrote_it(action: Action) -> None:
    loose = json.dumps(msgspec.to_builtins(action), indent=1).replace("\n", " ").encode()
    assert encode_action(check(json.loads(loose))) == encode_action(action)
    assert parse_line(loose) == action


@given(st.binary() | lines())
def test_any_line_is_an_action_or_one_rejection_with_a_known_code(line: bytes) -> None:
    judged = parse_line(line)
    if isinstance(judged, Rejection):
        assert judged.rule == RULES[judged.code]
        assert (judged.value is None) == judged.code.endswith("_missing")
        assert len(judged.value or "") <= MAX_SHOWN + 1
        assert judged.message.isprintable()


BROKEN = {
    "not_json": b"timestamp=1",
    "not_object": b"[1]",
    "nested_too_deep": b'{"x":' + b"[" * MAX_BRACKETS + b"]" * MAX_BRACKETS + b"}",
    "unknown_field": b'{"timestamp":1,"user":"u","event":"click","session":"s"}',
    "timestamp_missing": b'{"user":"u","event":"click"}',
    "timestamp_not_integer": b'{"timestamp":"1","user":"u","event":"click"}',
    "timestamp_negative": b'{"timestamp":-1,"user":"u","event":"click"}',
    "timestamp_after_2099": b'{"timestamp":4102444800000,"user":"u","event":"click"}',
    "user_missing": b'{"timestamp":1,"event":"click"}',
    "user_not_text": b'{"timestamp":1,"user":7,"event":"click"}',
    "user_not_unicode": b'{"timestamp":1,"user":"a\\ud83d","event":"click"}',
    "user_empty": b'{"timestamp":1,"user":"","event":"click"}',
    "user_too_long": b'{"timestamp":1,"user":"%s","event":"click"}' % (b"u" * 257),
    "user_control_character": b'{"timestamp":1,"user":"a\\u0000b","event":"click"}',
    "event_missing": b'{"timestamp":1,"user":"u"}',
    "event_not_text": b'{"timestamp":1,"user":"u","event":null}',
    "event_not_unicode": b'{"timestamp":1,"user":"u","event":"\\ud83d\\ud83d"}',
    "event_malformed": b'{"timestamp":1,"user":"u","event":"Click"}',
    "id_not_text": b'{"timestamp":1,"user":"u","event":"click","id":1}',
    "id_not_unicode": b'{"timestamp":1,"user":"u","event":"click","id":"\\uDE00"}',
    "id_empty": b'{"timestamp":1,"user":"u","event":"click","id":""}',
    "id_too_long": b'{"timestamp":1,"user":"u","event":"click","id":"%s"}' % (b"i" * 129),
    "id_control_character": b'{"timestamp":1,"user":"u","event":"click","id":"\xc2\x9f"}',
}


@pytest.mark.parametrize(("code", "line"), BROKEN.items())
def test_each_rule_of_the_log_rejects_the_line_that_breaks_it(code: str, line: bytes) -> None:
    assert [judged.code for judged in parse_lines(line) if isinstance(judged, Rejection)] == [code]


def test_each_rule_for_a_line_is_shown_by_an_example() -> None:
    assert BROKEN.keys() == {code for code in RULES if not code.startswith("record_")}


@pytest.mark.parametrize("character", ["a", "é", "用", "😀", "[", "{", '"', "\\", "\u00a0", "\u2028"])
def test_lengths_count_characters_whatever_their_bytes(character: str) -> None:
    longest = Action(0, character * MAX_USER, "click", character * MAX_ID)
    assert parse_lines(encode_action(longest)) == [longest]
    for name, length in (("user", MAX_USER), ("id", MAX_ID)):
        fields = {"timestamp": 0, "user": "u", "event": "click", "id": "i", name: character * (length + 1)}
        judged = parse_line(msgspec.json.encode(fields))
        assert isinstance(judged, Rejection)
        assert judged.code == f"{name}_too_long"


@pytest.mark.parametrize("timestamp", [0, 1, END_OF_TIME_MS - 1])
def test_timestamps_at_the_edges_are_accepted(timestamp: int) -> None:
    assert check({"timestamp": timestamp, "user": "u", "event": "click"}) == Action(timestamp, "u", "click")


@pytest.mark.parametrize("depth", [1, MAX_BRACKETS - 1, MAX_BRACKETS, 990, 995, 996, 997, 5000])
def test_nesting_is_judged_by_a_constant_and_not_by_the_depth_of_the_caller_s_stack(depth: int) -> None:
    line = b'{"x":' + b"[" * depth + b"]" * depth + b"}"

    def judged_from(frames: int) -> Action | Rejection:
        return parse_line(line) if frames == 0 else judged_from(frames - 1)

    assert judged_from(0) == judged_from(300)


def test_an_action_of_brackets_alone_is_an_action() -> None:
    assert parse_line(BRACKETS) == Action(1, "[" * MAX_USER, "click", "[" * MAX_ID)


def test_an_id_that_is_null_is_no_id() -> None:
    assert parse_line(CLICK.replace(b"}", b',"id":null}')) == Action(1, "u", "click")


def test_the_message_of_a_rejection_is_one_line_whatever_the_field_is_called() -> None:
    judged = parse_line(b'{"a\\n\\u001b[31m":1}')
    assert isinstance(judged, Rejection)
    assert judged.message == f"a\\n\\u001b[31m 1: an action has the fields {', '.join(FIELDS)} and no others"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"user":"u","event":"click"}', "timestamp is required"),
        (
            b'{"timestamp":true,"user":"u","event":"click"}',
            "timestamp true: timestamp is an integer: ms since the epoch",
        ),
        (b'{"timestamp":1,"user":null,"event":"click"}', "user null: user is a string"),
        (b'{"timestamp":1,"user":{"a":[null]},"event":"click"}', 'user {"a": [null]}: user is a string'),
        (b"poison \xff", "line poison \ufffd: a line is one JSON object in UTF-8"),
    ],
    ids=["missing", "boolean", "null", "object", "no-json"],
)
def test_the_message_of_a_rejection_speaks_of_json_not_of_python(line: bytes, message: str) -> None:
    judged = parse_line(line)
    assert isinstance(judged, Rejection)
    assert judged.message == message


@pytest.mark.parametrize(
    "line",
    [
        CLICK.replace(b'"user"', b'"user":"\\ud83d","user"'),
        CLICK.replace(b'"user"', b'"user":"\\ud83d","user"').replace(b"}", b',"id":NaN}'),
        b"\xef\xbb\xbf" + CLICK.replace(b'"u"', b'"\\ud83d"'),
        CLICK.replace(b'"u"', b'"\\ud83d"').replace(b"1", b"9" * 5000),
        b'["\\ud83d"]',
        b'"\\ud83d"',
        b'{"x":"\\ud83d"}',
        CLICK.replace(b'"u"', b'"\\ud83d\xff"'),
        CLICK.replace(b'"u"', b'"\\ud83d\n"'),
    ],
)
def test_half_of_a_surrogate_pair_is_never_part_of_an_action_whatever_else_the_line_holds(line: bytes) -> None:
    judged = parse_line(line)
    assert isinstance(judged, Rejection)
    assert judged.code == "not_json"


def test_a_rejection_for_half_of_a_surrogate_pair_shows_it_as_it_was_escaped() -> None:
    judged = parse_line(CLICK.replace(b'"u"', b'"u\\ud83d"'))
    assert isinstance(judged, Rejection)
    assert judged.field == "user"
    assert judged.message.startswith('user "u\\ud83d": user is valid Unicode')


@given(actions(), st.sampled_from(["user", "event", "id"]), st.integers(0xD800, 0xDFFF), st.booleans())
def test_half_of_a_surrogate_pair_is_named_by_its_field(
    action: Action,
    field: str,
    half: int,
    at_the_end: bool,  # noqa: FBT001 - drawn, not called by people
) -> None:
    fields = {**msgspec.to_builtins(action), field: "a" + chr(half) + "a" * (not at_the_end)}
    judged = parse_line(json.dumps(fields).encode())
    assert isinstance(judged, Rejection)
    assert (judged.code, judged.field) == (f"{field}_not_unicode", field)


def test_codes_are_stable_names() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in RULES)
