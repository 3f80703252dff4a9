from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import MAX_ID, MAX_USER, Action, encode_action
from contract.log.partitioning import partition_of
from contract.log.record import MAX_BYTES, MAX_LINES, decode_record
from ingest_api.publishing.partitioning import group_by_partition

LARGEST = Action(10**12, "\U0001f600" * MAX_USER, "click", "\U0001f600" * MAX_ID)

actions_of_few_users = st.lists(
    st.builds(Action, timestamp=st.integers(0, 9), user=st.text("ab", min_size=1, max_size=3), event=st.just("click")),
    max_size=30,
)


@given(actions_of_few_users, st.integers(1, 5))
def test_each_action_is_one_line_with_its_user_s_partition_and_those_of_a_partition_stay_in_order(
    actions: list[Action], partitions: int
) -> None:
    grouped = group_by_partition(actions, partitions)
    for lines in grouped:
        here = [action for action in actions if partition_of(action.user, partitions) == lines.partition]
        assert decode_record(lines.text) == here
        assert lines.text == b"".join(encode_action(action) + b"\n" for action in here)
        assert lines.number == len(here)
    assert sum(lines.number for lines in grouped) == len(actions)


def test_a_hot_user_s_actions_are_cut_at_the_most_lines_of_a_record() -> None:
    grouped = group_by_partition([Action(1, "hot", "click")] * (2 * MAX_LINES + 1), 4)
    assert [lines.number for lines in grouped] == [MAX_LINES, MAX_LINES, 1]


def test_the_largest_actions_are_cut_at_the_most_bytes_of_a_record() -> None:
    actions = [LARGEST] * MAX_LINES
    grouped = group_by_partition(actions, 1)
    assert max(len(lines.text) for lines in grouped) <= MAX_BYTES
    assert b"".join(lines.text for lines in grouped) == (encode_action(LARGEST) + b"\n") * MAX_LINES
    assert sum(lines.number for lines in grouped) == MAX_LINES
