import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import StateUnreadable
from contract.hour import END_OF_TIME_MS
from contract.log.action import MAX_ID, MAX_USER, Action, parse_line
from contract.store import StoredAction
from stores.raw.packing import pack, unpack


def texts(longest: int) -> st.SearchStrategy[str]:
    """What a user or an id may be."""
    allowed = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    return st.text(allowed, min_size=1, max_size=longest)


ACTIONS = st.builds(
    Action,
    st.integers(0, END_OF_TIME_MS - 1),
    texts(MAX_USER),
    st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
    st.none() | texts(MAX_ID),
)


@given(st.dictionaries(st.integers(0, 2**62), ACTIONS, min_size=1, max_size=50))
def test_what_was_packed_is_unpacked(by_number: dict[int, Action]) -> None:
    numbers = sorted(by_number)
    packed = pack(numbers, [by_number[number] for number in numbers])
    assert unpack(packed) == [StoredAction(number, by_number[number]) for number in numbers]


def test_any_zstd_program_shows_the_lines_as_they_stand_in_the_log() -> None:
    actions = [Action(5, "u\u2028", "click"), Action(7, 'a"b', "e", "i")]
    header, *lines = bytes(cramjam.zstd.decompress(pack([4, 9], actions))).splitlines()
    assert header == b'{"format":1,"numbers":[[4,1],[9,1]]}'
    assert [parse_line(line) for line in lines] == actions


def test_numbers_that_follow_on_one_another_are_one_span() -> None:
    actions = [Action(5, "u", "click")] * 6
    header, *_ = bytes(cramjam.zstd.decompress(pack([1, 2, 3, 7, 8, 20], actions))).splitlines()
    assert header == b'{"format":1,"numbers":[[1,3],[7,2],[20,1]]}'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"format":2,"numbers":"of a later form"}\n', "format 2: this program reads format 1"),
        (b'{"format":1,"numbers":[[0,2]]}\n{"timestamp":1,"user":"u","event":"e"}\n', "argument"),
        (b'{"format":1,"numbers":[[0,1]]}\n{"timestamp":1,"us', "Input data was truncated"),
        (b"\n", "Input data was truncated"),
    ],
)
def test_what_is_no_run_is_told(text: bytes, why: str) -> None:
    with pytest.raises(StateUnreadable, match=why):
        unpack(bytes(cramjam.zstd.compress(text)))


def test_what_is_no_zstd_is_told() -> None:
    with pytest.raises(StateUnreadable, match="packed actions of 8 bytes"):
        unpack(b"no zstd!")
