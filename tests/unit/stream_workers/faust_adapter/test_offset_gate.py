from hypothesis import given
from hypothesis import strategies as st

from stream_workers.faust_adapter.offset_gate import OffsetGate, Verdict

DROP, PASS, SEEK = Verdict.DROP, Verdict.PASS, Verdict.SEEK


def open_at(offset: int) -> OffsetGate:
    gate = OffsetGate()
    gate.open(0, offset)
    return gate


def judged(gate: OffsetGate, *offsets: int) -> list[Verdict]:
    return [gate.admit(0, offset) for offset in offsets]


def test_nothing_passes_before_the_gate_is_opened() -> None:
    gate = OffsetGate()
    assert not gate.is_open(0)
    assert judged(gate, 0, 1, 2) == [DROP, DROP, DROP]


def test_records_pass_in_order_from_the_offset_at_which_it_was_opened() -> None:
    gate = open_at(7)
    assert gate.is_open(0)
    assert judged(gate, 7, 8, 9) == [PASS, PASS, PASS]
    assert gate.expected(0) == 10


def test_records_of_the_position_before_the_seek_are_dropped() -> None:
    assert judged(open_at(7), 5, 6, 7) == [DROP, DROP, PASS]


def test_a_record_passes_once() -> None:
    assert judged(open_at(7), 7, 7, 8, 7, 8) == [PASS, DROP, PASS, DROP, DROP]


def test_records_beyond_a_hole_are_fetched_again_from_the_hole() -> None:
    gate = open_at(7)
    assert judged(gate, 9) == [SEEK]
    assert gate.expected(0) == 7
    assert judged(gate, 7, 8, 9) == [PASS, PASS, PASS]


def test_a_hole_that_is_still_there_after_the_second_fetch_is_the_logs_own() -> None:
    assert judged(open_at(7), 9, 9, 10) == [SEEK, PASS, PASS]


def test_each_hole_is_fetched_again_once() -> None:
    assert judged(open_at(0), 0, 2, 2, 5, 5, 6, 8, 7, 8) == [PASS, SEEK, PASS, SEEK, PASS, PASS, SEEK, PASS, PASS]


def test_a_hole_that_was_half_filled_by_the_second_fetch_is_fetched_again() -> None:
    assert judged(open_at(0), 5, 2, 5, 5) == [SEEK, PASS, SEEK, PASS]


def test_partitions_are_judged_apart() -> None:
    gate = open_at(7)
    gate.open(1, 0)
    assert gate.admit(1, 3) is SEEK
    assert gate.admit(0, 7) is PASS
    assert gate.admit(2, 0) is DROP
    assert (gate.expected(0), gate.expected(1)) == (8, 0)


def test_nothing_passes_once_all_are_shut() -> None:
    gate = open_at(7)
    gate.shut_all()
    assert not gate.is_open(0)
    assert judged(gate, 7, 8) == [DROP, DROP]


def test_a_gate_that_is_opened_again_has_forgotten_which_hole_was_fetched_again() -> None:
    gate = open_at(7)
    assert judged(gate, 9) == [SEEK]
    gate.open(0, 7)
    assert judged(gate, 9) == [SEEK]
    gate.shut_all()
    gate.open(0, 7)
    assert judged(gate, 9) == [SEEK]


@given(
    log=st.sets(st.integers(0, 30)).map(sorted),
    start=st.integers(0, 10),
    jumps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5))),
)
def test_every_record_of_the_log_passes_once_and_in_order_whatever_a_fetcher_delivers(
    log: list[int], start: int, jumps: list[tuple[int, int]]
) -> None:
    """A fetcher that jumps about, but does fetch from where it is told to after a seek."""
    gate, passed = open_at(start), []

    def fetch(position: int, records: int) -> None:
        for offset in [offset for offset in log if offset >= position][:records]:
            verdict = gate.admit(0, offset)
            if verdict is PASS:
                passed.append(offset)
            elif verdict is SEEK:
                fetch(gate.expected(0), records)
                return

    for position, records in jumps:
        fetch(position, records)
    fetch(gate.expected(0), len(log))

    assert passed == [offset for offset in log if offset >= start]


def test_a_hole_that_the_fetcher_saw_twice_is_known_as_the_logs_own() -> None:
    gate = open_at(5)
    assert judged(gate, 5, 9, 9, 10, 12, 12) == [PASS, SEEK, PASS, PASS, SEEK, PASS]
    assert gate.is_hole(0, 6, 9)
    assert gate.is_hole(0, 11, 12)


def test_a_part_of_a_hole_up_to_its_end_is_one_too() -> None:
    """A record at progress that compaction removed: reading begins there, counting after it."""
    gate = open_at(5)
    judged(gate, 9, 9)
    assert gate.is_hole(0, 6, 9)


def test_where_the_log_has_records_there_is_no_hole() -> None:
    gate = open_at(5)
    assert not gate.is_hole(0, 5, 6)
    judged(gate, 5, 6, 9, 9)
    assert not gate.is_hole(0, 6, 9)
    assert not gate.is_hole(0, 7, 8)
    assert not gate.is_hole(1, 7, 9)


def test_a_hole_is_not_taken_for_one_before_it_was_seen_twice() -> None:
    gate = open_at(5)
    judged(gate, 9)
    assert not gate.is_hole(0, 5, 9)


def test_a_gate_that_is_opened_again_has_forgotten_the_holes() -> None:
    gate = open_at(5)
    judged(gate, 9, 9)
    gate.open(0, 5)
    assert not gate.is_hole(0, 5, 9)
    judged(gate, 9, 9)
    gate.shut_all()
    assert not gate.is_hole(0, 5, 9)
