from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from contract.windows.hashes import unpack_hashes
from contract.windows.segment import MAX_SEGMENT_HASHES, cut_segments

MAX_FIELD = 64 * 1024


@st.composite
def distinct_hashes(draw: st.DrawFn) -> list[int]:
    """Also many at a time, and such as agree in their low bits, which decide a hash's part."""
    drawn = draw(st.sets(st.integers(0, 2**64 - 1), max_size=50))
    many = draw(st.integers(0, 3 * MAX_SEGMENT_HASHES))
    shift = draw(st.integers(0, 49))
    return [*drawn, *{number << shift for number in range(many)} - drawn]


@given(distinct_hashes(), distinct_hashes())
def test_segments_lose_nothing_and_fit_into_a_text_field_each(users: list[int], ids: list[int]) -> None:
    segments = cut_segments(7, users, ids)
    assert sorted(value for one in segments for value in unpack_hashes(one.users)) == sorted(users)
    assert sorted(value for one in segments for value in unpack_hashes(one.ids)) == sorted(ids)
    for one in segments:
        assert one.through_offset == 7
        assert 0 < len(b64encode(one.users)) + len(b64encode(one.ids)) <= MAX_FIELD


@given(distinct_hashes())
def test_a_hash_lies_in_the_part_that_its_value_names(users: list[int]) -> None:
    for one in cut_segments(7, users, users[:10]):
        assert {value % one.parts for value in [*unpack_hashes(one.users), *unpack_hashes(one.ids)]} == {one.part}


def test_nothing_new_needs_no_segment() -> None:
    assert cut_segments(7, [], []) == []
