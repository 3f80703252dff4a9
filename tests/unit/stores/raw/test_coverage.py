import random

from contract.log.action import Action
from contract.store import StoredAction
from stores.raw.coverage import Coverage


def run(*lines: int) -> list[StoredAction]:
    return [StoredAction(line, Action(line, "u", "e")) for line in lines]


def test_lines_of_a_range_that_was_read_are_told_apart() -> None:
    coverage = Coverage()
    assert coverage.unread(run(3, 5, 9)) == run(3, 5, 9)
    assert [line in coverage for line in (2, 3, 4, 9, 10)] == [False, True, True, True, False]
    assert coverage.unread(run(9, 11)) == run(11)
    assert coverage.unread([]) == []


def test_each_line_is_given_once_whatever_runs_hold_it() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        lines = sorted(rng.sample(range(200), 60))
        coverage, given = Coverage(), list[StoredAction]()
        stored: set[int] = set()
        for _ in range(40):
            first = rng.randrange(len(lines))
            some = lines[first : first + rng.choice([1, 2, 5, 30])]
            stored |= set(some)
            given += coverage.unread(run(*some))
        assert sorted(one.line for one in given) == sorted(stored)


def test_runs_that_follow_on_one_another_take_the_memory_of_one() -> None:
    coverage = Coverage()
    order = list(range(0, 1_000, 10))
    random.Random(1).shuffle(order)
    for first in order:
        coverage.unread(run(*range(first, first + 10)))
    assert coverage.ranges == 1
