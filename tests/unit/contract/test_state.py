import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import StateUnreadable
from contract.log.progress import Progress, RecordMark
from contract.state import VERSION, decode_state, encode_state
from contract.windows.window_value import WindowValue

numbers = st.integers(0, 10**15)
counts = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), numbers, max_size=5)
windows = st.builds(
    WindowValue,
    through_offset=st.integers(-1, 10**15),
    counts=counts,
    duplicates=numbers,
    unique_users=numbers,
    fewest_partitions=numbers,
    most_partitions=numbers,
)
progresses = st.builds(
    Progress,
    through_offset=st.integers(-1, 10**15),
    lines=numbers,
    rejected=counts,
    lost=numbers,
    watermark=st.integers(-1, 10**15),
    rules=numbers,
    mark=st.none() | st.builds(RecordMark, timestamp=numbers, crc=st.integers(0, 2**32 - 1)),
)


@given(windows | progresses)
def test_a_value_comes_back_from_its_state(value: WindowValue | Progress) -> None:
    assert decode_state(encode_state(value), type(value)) == value


@given(windows | progresses)
def test_a_state_is_one_line(value: WindowValue | Progress) -> None:
    assert encode_state(value).isprintable()


def test_states_that_are_in_stores_stay_readable() -> None:
    window = (
        '{"version":1,"through_offset":7,"counts":{"click":2},"duplicates":1,"unique_users":2,'
        '"fewest_partitions":8,"most_partitions":8}'
    )
    assert decode_state(window, WindowValue) == WindowValue(7, {"click": 2}, 1, 2, 8, 8)
    progress = (
        '{"version":1,"through_offset":7,"lines":9,"rejected":{"not_json":1},"lost":3,"watermark":5,"rules":1,'
        '"mark":{"timestamp":5,"crc":6}}'
    )
    assert decode_state(progress, Progress) == Progress(7, 9, {"not_json": 1}, 3, 5, 1, RecordMark(5, 6))


def test_a_state_of_another_version_is_refused_with_its_number() -> None:
    with pytest.raises(StateUnreadable, match=f"state version {VERSION + 1}"):
        decode_state(f'{{"version":{VERSION + 1}}}', WindowValue)


@given(st.data())
def test_a_torn_state_is_refused(data: st.DataObject) -> None:
    text = encode_state(data.draw(windows))
    torn = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(StateUnreadable):
        decode_state(torn, WindowValue)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        "{}",
        '{"version":"1"}',
        '{"version":1,"counts":[]}',
        '{"version":1,"counts":{"click":"2"}}',
    ],
)
def test_a_text_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(StateUnreadable):
        decode_state(text, WindowValue)
