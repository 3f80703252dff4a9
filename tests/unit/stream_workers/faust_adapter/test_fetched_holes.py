"""Offsets that the fetcher passed over by itself."""

from hypothesis import given
from hypothesis import strategies as st

from stream_workers.faust_adapter.fetched_holes import FetchedHoles

PLACE, OTHER_PLACE = object(), object()


def test_what_lies_between_two_records_that_were_handed_out_in_a_row_is_a_hole() -> None:
    holes = FetchedHoles()
    holes.fetched(0, PLACE, [3, 4, 7, 8])
    assert holes.is_hole(0, 5, 7)
    assert holes.is_hole(0, 6, 7)
    assert not holes.is_hole(0, 4, 7)
    assert not holes.is_hole(0, 5, 8)
    assert not holes.is_hole(0, 7, 7)
    assert not holes.is_hole(1, 5, 7)


def test_a_hole_may_lie_between_two_fetches() -> None:
    holes = FetchedHoles()
    holes.fetched(0, PLACE, [3, 4])
    holes.fetched(0, PLACE, [7])
    assert holes.is_hole(0, 5, 7)


def test_nothing_is_known_of_what_lies_before_the_first_record() -> None:
    holes = FetchedHoles()
    holes.fetched(0, PLACE, [3])
    assert not holes.is_hole(0, 0, 3)


def test_what_lies_between_the_places_before_and_after_a_seek_is_no_hole() -> None:
    holes = FetchedHoles()
    holes.fetched(0, PLACE, [3, 5])
    holes.sought(0)
    assert not holes.is_hole(0, 4, 5)
    holes.fetched(0, PLACE, [90, 92])
    assert not holes.is_hole(0, 6, 90)
    assert holes.is_hole(0, 91, 92)


def test_what_lies_between_the_places_of_two_assignments_is_no_hole() -> None:
    holes = FetchedHoles()
    holes.fetched(0, PLACE, [3, 4])
    holes.fetched(0, OTHER_PLACE, [90, 92])
    assert not holes.is_hole(0, 5, 90)
    assert holes.is_hole(0, 91, 92)


def test_what_was_handed_out_last_is_known_until_the_next_seek() -> None:
    holes = FetchedHoles()
    assert holes.handed_out_before(0) is None
    holes.fetched(0, PLACE, [3, 5])
    assert (holes.handed_out_before(0), holes.handed_out_before(1)) == (6, None)
    holes.sought(0)
    assert holes.handed_out_before(0) is None


@given(
    log=st.sets(st.integers(0, 40)),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("fetch"), st.integers(0, 6)),
            st.tuples(st.just("seek"), st.integers(0, 40)),
            st.tuples(st.just("assign"), st.integers(0, 40)),
        )
    ),
)
def test_a_hole_never_has_a_record_wherever_the_fetcher_goes(log: set[int], steps: list[tuple[str, int]]) -> None:
    holes, place, position = FetchedHoles(), object(), 0
    for step, number in steps:
        if step == "fetch":
            given_out = sorted(offset for offset in log if offset >= position)[:number]
            holes.fetched(0, place, given_out)
            position = given_out[-1] + 1 if given_out else position
        else:
            position = number
            if step == "seek":
                holes.sought(0)
            else:
                place = object()
        for first in range(41):
            for end in range(first + 1, 42):
                assert not holes.is_hole(0, first, end) or not log & set(range(first, end))
