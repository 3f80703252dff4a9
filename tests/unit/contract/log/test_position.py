import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidPosition
from contract.log.position import Position, parse_position, together
from contract.log.progress import LogPartition, Progress, log_of

LOGS = st.uuids().map(lambda one: log_of("AB+/" + one.hex[:18]))
OFFSETS = st.dictionaries(st.integers(0, 10**6), st.integers(0, 2**63 - 1), min_size=1, max_size=20)
POSITIONS = st.builds(Position, LOGS, st.integers(0, 10**14), OFFSETS)


def counted(partition: int, through_offset: int, watermark: int = 100, log: str = "a") -> dict[LogPartition, Progress]:
    return {LogPartition(log, partition): Progress(through_offset, watermark=watermark)}


@given(POSITIONS)
def test_what_was_told_is_read_back_and_needs_no_escaping_in_a_query(position: Position) -> None:
    text = position.text()
    assert parse_position(text) == position
    assert all(character.isascii() and (character.isalnum() or character in "-_.~") for character in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.1",
        "a.1.",
        "a.1.2",
        "a.1.2-",
        "a.1.2-3.",
        "a.1.2-3x",
        "a.-1.2-3",
        "a.1.2-3\n",
        "a b.1.2-3",
        "a.1.٢-3",
    ],
)
def test_what_was_not_told_is_no_position(text: str) -> None:
    with pytest.raises(InvalidPosition):
        parse_position(text)


def test_it_is_counted_once_each_partition_is() -> None:
    position = Position("a", 100, {0: 5, 1: 7})
    assert not position.is_counted({})
    assert not position.is_counted(counted(0, 5))
    assert not position.is_counted({**counted(0, 5), **counted(1, 6)})
    assert position.is_counted({**counted(0, 5), **counted(1, 7)})
    assert position.is_counted({**counted(0, 50), **counted(1, 70)})


def test_another_log_s_progress_does_not_count_it() -> None:
    assert not Position("a", 100, {0: 5}).is_counted(counted(0, 9, log="b"))


def test_a_log_that_ended_before_it_was_appended_does_not_count_it() -> None:
    assert not Position("a", 101, {0: 5}).is_counted(counted(0, 9, watermark=100))


def test_several_positions_make_one_that_is_counted_when_all_are() -> None:
    whole = together([Position("a", 7, {0: 1}), Position("a", 5, {0: 4, 1: 2}), Position("a", 9, {0: 3})])
    assert whole == Position("a", 5, {0: 4, 1: 2})


@pytest.mark.parametrize("positions", [[], [None], [Position("a", 7, {0: 1}), None], [None, Position("a", 7, {0: 1})]])
def test_of_what_is_not_known_wholly_there_is_no_position(positions: list[Position | None]) -> None:
    assert together(positions) is None


def test_of_two_logs_there_is_no_position() -> None:
    assert together([Position("a", 7, {0: 1}), Position("b", 7, {0: 1})]) is None
