import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.counts import count_byte, count_lines, stand_apart

PARTS = st.lists(st.sampled_from([b"}\n{", b"}\n{", b"a", b"{", b"}", b"\n", b"\xff"]), max_size=8).map(b"".join)
LONG = st.sampled_from([0, 4_000, 20_000])
"""Bytes in the middle of a text: short ones and long ones are counted in different ways."""


@given(PARTS, LONG, PARTS)
def test_a_text_is_counted_as_byte_by_byte_however_long_it_is(begin: bytes, middle: int, end: bytes) -> None:
    text = begin + middle * b"a" + end
    newlines = [place for place, byte in enumerate(text) if byte == ord("\n")]

    for byte in (b"\n", b"{", b"a"):
        assert count_byte(text, byte) == sum(one == byte[0] for one in text)
    assert count_lines(text) == len(newlines) + (not text.endswith(b"\n"))
    between = [place for place in newlines if place < len(text) - 1]
    assert stand_apart(text) == all(place and text[place - 1 : place + 2] == b"}\n{" for place in between)


@pytest.mark.parametrize("objects", [1, 2, 100, 5_000])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_objects_stand_apart_unless_a_newline_is_within_one_or_beside_another(objects: int, end: bytes) -> None:
    lines = [b'{"a":1}'] * objects

    assert stand_apart(b"\n".join(lines) + end)
    for wrong in (b'{"a":\n1}', b"\n{}", b"{}\n"):
        assert not stand_apart(b"\n".join([*lines, wrong, *lines]) + end)
