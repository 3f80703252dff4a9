from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.hour import END_OF_TIME_MS
from contract.log.action import MAX_ID, MAX_USER, Action, Rejection, encode_action
from contract.log.record import MAX_BYTES, MAX_LINES, decode_record, encode_records, partitions_in

LONGEST = Action(END_OF_TIME_MS - 1, "😀" * MAX_USER, "e" * 32, '"' * MAX_ID)

some_action = st.builds(
    Action,
    timestamp=st.integers(0, END_OF_TIME_MS - 1),
    user=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=MAX_USER),
    event=st.sampled_from(["click", "impression"]),
)


def codes(value: bytes | None) -> list[str]:
    return [judged.code for judged in decode_record(value) if isinstance(judged, Rejection)]


@given(st.lists(some_action, max_size=50), st.integers(1, 60))
def test_actions_come_back_from_their_records_in_order(actions: list[Action], times: int) -> None:
    many = actions * times
    records = list(encode_records(map(encode_action, many)))
    assert [judged for record in records for judged in decode_record(record)] == many


@given(st.lists(st.sampled_from([Action(0, "u", "click"), LONGEST]), max_size=40), st.integers(1, 100))
def test_records_keep_the_limits_and_are_as_few_as_they_allow(actions: list[Action], times: int) -> None:
    records = list(encode_records(map(encode_action, actions * times)))
    assert all(len(record) <= MAX_BYTES and record.count(b"\n") <= MAX_LINES for record in records)
    for record, following in pairwise(records):
        next_line = following[: following.index(b"\n") + 1]
        assert record.count(b"\n") == MAX_LINES or len(record) + len(next_line) > MAX_BYTES


def test_the_longest_action_is_far_below_the_limit_of_a_record() -> None:
    assert len(encode_action(LONGEST)) * 100 < MAX_BYTES


def test_no_actions_make_no_record() -> None:
    assert list(encode_records([])) == []


def test_a_record_of_a_thousand_lines_is_read_and_one_more_line_is_refused_as_a_whole() -> None:
    line = encode_action(Action(0, "u", "click"))
    assert len(decode_record((line + b"\n") * MAX_LINES)) == MAX_LINES
    assert codes((line + b"\n") * MAX_LINES + line) == ["record_too_many_lines"]


def test_a_record_of_512_kib_is_read_and_one_more_byte_is_refused_as_a_whole() -> None:
    line = encode_action(Action(0, "u", "click"))
    assert decode_record(line.ljust(MAX_BYTES)) == [Action(0, "u", "click")]
    assert codes(line.ljust(MAX_BYTES + 1)) == ["record_too_large"]


def test_a_record_without_a_value_is_one_rejected_line() -> None:
    assert codes(None) == ["record_null"]
    assert codes(b"") == ["record_empty"]


def test_a_bad_line_never_hides_its_neighbours() -> None:
    good = Action(0, "u", "click")
    value = b"\n".join([encode_action(good), b"?", b"", encode_action(good)])
    assert [getattr(judged, "code", "") for judged in decode_record(value)] == ["", "not_json", "not_json", ""]


@given(st.binary(max_size=200))
def test_any_value_decodes_to_one_entry_a_line(value: bytes) -> None:
    assert len(decode_record(value)) == value.removesuffix(b"\n").count(b"\n") + 1


@given(st.integers(0, 999_999_999))
def test_the_partitions_header_reads_back(partitions: int) -> None:
    assert partitions_in(str(partitions).encode()) == partitions


@pytest.mark.parametrize("header", [None, b"", b"-1", b"+8", b" 8", b"8.0", b"eight", b"1" * 10, "\uff18".encode()])
def test_a_partitions_header_that_is_missing_or_malformed_reads_as_zero(header: bytes | None) -> None:
    assert partitions_in(header) == 0
