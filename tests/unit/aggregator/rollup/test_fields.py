from datetime import timedelta

import pytest

from aggregator.hours.completeness import UNKNOWN, Completeness
from aggregator.hours.reader import Answer
from aggregator.hours.totals import HourTotals
from aggregator.rollup.fields import fields_of, repair
from contract.hour import HOUR_MS
from contract.windows.rollup import Value

HOUR = 1_795_510_800_000
OVER = HOUR + HOUR_MS + 6_000
SECOND = timedelta(seconds=1)
EVENTS = ("click", "impression", "signup")


def answer(completeness: Completeness) -> Answer:
    counts = {"click": 3, "signup": 2}
    return Answer(HOUR, HourTotals(counts, unique_users=4, duplicates=1), completeness, lost=0, windows={}, progress={})


def point(**fields: Value) -> dict[str, Value]:
    numbers = {"clicks": 3, "impressions": 0, "unique_users": 4, "actions": 5, "count_signup": 2}
    return {**numbers, "final": True, "complete_through": OVER, **fields}


def test_a_point_has_the_hours_numbers_and_says_how_complete_they_are() -> None:
    assert fields_of(answer(Completeness(OVER, 0, final=True)), EVENTS) == point()


def test_events_that_nobody_configured_share_one_field() -> None:
    counts = {"click": 3, "signup": 2, "made_up": 4, "made_up_too": 1}
    totals = HourTotals(counts, unique_users=4, duplicates=1)
    made_up = Answer(HOUR, totals, Completeness(OVER, 0, final=True), lost=0, windows={}, progress={})

    assert fields_of(made_up, EVENTS) == point(actions=10, count__other=5)


def test_where_nobody_knows_how_complete_an_hour_is_its_point_does_not_say() -> None:
    known = point()
    del known["final"], known["complete_through"]

    assert fields_of(answer(UNKNOWN), EVENTS) == known


def test_what_stands_as_it_should_is_not_written() -> None:
    assert repair(HOUR, point(), point(), SECOND) is None


@pytest.mark.parametrize("name", list(point()))
def test_all_of_a_point_is_written_where_one_field_is_missing(name: str) -> None:
    stands = point()
    del stands[name]

    assert repair(HOUR, point(), stands, SECOND) == point()


@pytest.mark.parametrize(
    ("name", "value"),
    [("clicks", 2), ("clicks", 4), ("actions", 1), ("unique_users", 5), ("final", False), ("final", 1)],
)
def test_all_of_a_point_is_written_where_one_field_differs_lower_or_higher(name: str, value: Value) -> None:
    assert repair(HOUR, point(), point(**{name: value}), SECOND) == point()


def test_a_count_that_should_not_be_there_becomes_zero_and_then_stays() -> None:
    repaired = repair(HOUR, point(), point(count_view=7), SECOND)

    assert repaired == point(count_view=0)
    assert repair(HOUR, point(), repaired, SECOND) is None


def test_fields_that_are_not_ours_are_left_alone() -> None:
    assert repair(HOUR, point(), point(note="x"), SECOND) is None


def test_a_final_hour_is_not_written_for_a_later_instant() -> None:
    stands = point(complete_through=OVER - 4_000)

    assert repair(HOUR, point(), stands, SECOND) is None


@pytest.mark.parametrize("through", [HOUR + HOUR_MS, OVER + 1])
def test_a_final_hour_is_written_where_its_instant_lies_within_it_or_is_later_than_we_know(through: int) -> None:
    assert repair(HOUR, point(), point(complete_through=through), SECOND) == point()


@pytest.mark.parametrize(("age", "is_written"), [(999, False), (1_000, True), (-1, True)])
def test_an_hour_that_is_not_final_is_written_once_its_instant_is_a_renewal_old(age: int, *, is_written: bool) -> None:
    should = point(final=False, complete_through=HOUR + 5_000)
    stands = point(final=False, complete_through=HOUR + 5_000 - age)

    assert (repair(HOUR, should, stands, SECOND) is not None) is is_written


def test_while_nobody_knows_how_complete_an_hour_is_only_its_numbers_are_compared() -> None:
    should = fields_of(answer(UNKNOWN), EVENTS)

    assert repair(HOUR, should, point(), SECOND) is None
    assert repair(HOUR, should, point(clicks=1), SECOND) == should
