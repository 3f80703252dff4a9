from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest_api.decoding.portions import line_portions, portions


@given(st.lists(st.binary(max_size=40), max_size=60), st.integers(1, 20), st.integers(1, 100))
def test_portions_hold_all_in_order_and_keep_both_bounds(texts: Sequence[bytes], most: int, most_bytes: int) -> None:
    cut = list(portions(texts, most, most_bytes))
    assert [text for _, portion in cut for text in portion] == list(texts)
    for start, portion in cut:
        assert texts[start : start + len(portion)] == list(portion)
        assert 1 <= len(portion) <= most
        assert sum(map(len, portion[:-1])) < most_bytes


@given(
    st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=60),
    st.booleans(),
    st.integers(1, 20),
    st.integers(1, 100),
)
def test_portions_of_lines_are_the_lines_and_keep_both_bounds_but_for_a_line_that_is_longer(
    lines: list[bytes],
    ends: bool,  # noqa: FBT001 - drawn, not called by people
    most: int,
    most_bytes: int,
) -> None:
    text = b"\n".join(lines) + b"\n" * ends
    cut = list(line_portions(text, most, most_bytes))
    assert [line for _, portion in cut for line in portion] == text.removesuffix(b"\n").split(b"\n")
    number = 0
    for start, portion in cut:
        assert start == number
        assert 1 <= len(portion) <= most
        assert len(portion) == 1 or len(b"\n".join(portion)) <= most_bytes
        number += len(portion)
