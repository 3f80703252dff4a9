import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sending.errors import FileUnreadable
from collector.sending.reading.array import elements_of
from collector.sending.reading.line import LONGEST, Line
from contract.log.action import Rejection, parse_line
from support.fixtures.sending import Dribble

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{},:\n é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\]},', max_size=3), inner, max_size=3),
    max_leaves=8,
)


def read(content: bytes, piece: int = 1_000_000) -> list[Line]:
    return list(elements_of(Dribble(content, piece)))


@settings(deadline=None)
@given(
    values=st.lists(JSON, max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    piece=st.integers(1, 9),
    ascii_only=st.booleans(),
)
def test_elements_are_what_a_parser_reads_however_they_are_written_and_wherever_pieces_end(
    values: list[Any], indent: int | None, piece: int, *, ascii_only: bool
) -> None:
    content = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()

    lines = read(content, piece)

    assert [json.loads(line.text) for line in lines] == values
    assert [line.number for line in lines] == [*range(1, len(values) + 1)]
    assert [line.rejection is None for line in lines] == [isinstance(value, dict) for value in values]
    assert not any(b"\n" in line.text for line in lines)


def test_an_element_is_sent_as_it_is_written() -> None:
    written = [b'{"user":"a","user":"b"}', b'{"timestamp":1e3}', b'{"user":"\\ud83d"}', b'{"user":"\xff"}']

    assert [line.text for line in read(b"[" + b" , ".join(written) + b"]")] == written


@pytest.mark.parametrize("malformed", [b'{"a":1]', b"{a}", b'{"a" "b"}', b'{"a":1} {"b":2}', b"}", b"nope", b"{{}}"])
def test_a_malformed_element_is_one_element_and_the_others_are_read(malformed: bytes) -> None:
    lines = read(b'[{"n":1},' + malformed + b',{"n":3}]')

    assert [line.text for line in lines] == [b'{"n":1}', malformed, b'{"n":3}']


@pytest.mark.parametrize(("content", "missing"), [(b'[{"n":1},]', 2), (b'[,{"n":2}]', 1), (b'[{"n":1}, ,{"n":3}]', 2)])
def test_a_comma_with_nothing_beside_it_is_a_rejected_element(content: bytes, missing: int) -> None:
    rejected = [line for line in read(content) if line.rejection]

    assert [line.number for line in rejected] == [missing]


def test_a_newline_within_a_text_is_no_blank_and_makes_its_element_a_rejected_one() -> None:
    good, bad = read(
        b'[{\n"timestamp":1,\n"user":"a",\n"event":"click"},{"timestamp":1,"user":"a\nb","event":"click"}]'
    )

    assert not isinstance(parse_line(good.text), Rejection)
    assert bad.rejection is not None
    assert bad.rejection.code == "not_json"


@pytest.mark.parametrize("text", ["x" * LONGEST, '"]},{["' * LONGEST, "\\" * LONGEST])
@pytest.mark.parametrize("piece", [1_000, 1_000_000])
def test_an_element_too_long_is_one_rejected_element_and_the_others_are_read(text: str, piece: int) -> None:
    long = json.dumps({"user": text}).encode()

    first, second, third = read(b'[{"n":1},' + long + b',{"n":3}]', piece)

    assert [first.text, third.text, third.number] == [b'{"n":1}', b'{"n":3}', 3]
    assert second.is_beginning
    assert second.rejection is not None
    assert second.rejection.rule.endswith(f"this one has {len(long):,}")


@pytest.mark.parametrize("piece", [1_000, 1_000_000])
def test_an_element_is_as_long_as_a_line_may_be_and_blanks_around_it_do_not_count(piece: int) -> None:
    blanks = b" " * 20_000

    longest, split, longer = read(
        b"[" + blanks + b"x" * LONGEST + blanks + b", x" + blanks + b"x," + b"x" * (LONGEST + 1) + b"]", piece
    )

    assert (len(longest.text), longest.is_beginning) == (LONGEST, False)
    assert split.is_beginning
    assert longer.is_beginning


@pytest.mark.parametrize("content", [b'[{"n":1},{"n":2', b'[{"n":1},{"n":"2', b'[{"n":1},"\\', b'[{"n":1},'])
def test_an_array_that_is_cut_off_is_told_after_its_whole_elements(content: bytes) -> None:
    elements = elements_of(Dribble(content, 3))

    assert next(elements).text == b'{"n":1}'
    with pytest.raises(FileUnreadable, match="does not end after element 1"):
        next(elements)


def test_what_follows_the_array_is_told_after_its_elements() -> None:
    elements = elements_of(Dribble(b'[{"n":1}] \n\n x', 3))

    assert next(elements).text == b'{"n":1}'
    with pytest.raises(FileUnreadable, match="goes on after the end of its array, which has 1 elements"):
        next(elements)


def test_blanks_may_follow_the_array() -> None:
    assert len(read(b"[{}]" + b" \r\n" * 1000, 7)) == 1


@pytest.mark.parametrize("content", [b"[]", b"[ \n ]\n"])
def test_an_empty_array_has_no_elements(content: bytes) -> None:
    assert read(content, 1) == []
