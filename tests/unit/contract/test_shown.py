import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.shown import MAX_SHOWN, printable, shown, shown_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("click", '"click"'),
        ("it's", '"it\'s"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\nb\x7f\u2028", '"a\\nb\\u007f\\u2028"'),
        ("é😀", '"é😀"'),
        ("\ud83d", '"\\ud83d"'),
        (None, "null"),
        (True, "true"),
        ({"é": [None, 1.5]}, '{"é": [null, 1.5]}'),
        (b'{"user":"a"', '{"user":"a"'),
        (b"a\x00\xff", "a\\u0000\ufffd"),
        (b"", '""'),
    ],
)
def test_a_value_is_shown_as_json_writes_it_and_what_somebody_wrote_as_it_stands(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text(st.characters()) | st.binary() | st.dictionaries(st.text(st.characters()), st.integers()))
def test_whatever_is_shown_is_one_line_and_cut(value: object) -> None:
    text = shown(value)
    assert text.isprintable()
    assert len(text) <= MAX_SHOWN + 1


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=5))
def test_a_short_text_reads_back_from_what_is_shown(value: str) -> None:
    assert json.loads(shown(value)) == value


def test_a_name_is_shown_without_quotes() -> None:
    assert shown_text("a\tb") == "a\\tb"


def test_of_a_value_that_is_nested_as_deep_as_parsers_go_only_the_begin_is_looked_at() -> None:
    value: list[object] = []
    for _ in range(10_000):
        value = [value]

    assert shown({"a": value}) == '{"a": ' + "[" * (MAX_SHOWN - len('{"a": ')) + "…"


@given(st.text(st.characters()))
def test_a_text_that_is_made_printable_is_one_line_and_nothing_of_it_is_left_out(value: str) -> None:
    text = printable(value)

    assert text.isprintable()
    assert printable(text) == text
    assert len(text) >= len(value)


def test_what_commands_a_terminal_is_written_out() -> None:
    assert printable("a\x1b[2J\x9b2Jé\u202e\r\n") == "a\\u001b[2J\\u009b2Jé\\u202e\\r\\n"
