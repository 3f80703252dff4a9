from random import Random

from collector.sending.synthetic import synthetic_action, synthetic_lines
from contract.hour import HOUR_MS, hour_of

NOW = 1_795_522_224_853


def test_traffic_is_of_now_but_for_five_percent_of_earlier_hours() -> None:
    random = Random(7)

    actions = [synthetic_action(NOW, 1000, random) for _ in range(20_000)]

    late = [action for action in actions if action.timestamp < hour_of(NOW)]
    assert 0.04 < len(late) / len(actions) < 0.06
    assert min(action.timestamp for action in late) >= NOW - 25 * HOUR_MS
    assert {action.event for action in actions} == {"click", "impression"}
    assert len({action.id for action in actions}) == len(actions)


def test_each_number_has_a_line_that_can_be_sent_again() -> None:
    lines = list(synthetic_lines(NOW, 10, Random(7), range(5, 8)))

    assert [(line.number, line.is_repeatable) for line in lines] == [(5, True), (6, True), (7, True)]
