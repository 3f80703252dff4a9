"""How many hours a request's actions may lie in."""

import random

import pytest

from contract.hour import HOUR_MS
from contract.log.action import Action
from ingest_api.decoding.hours import require_few_hours
from ingest_api.errors import RequestRefused

JUST_BEFORE_AN_HOUR = 500_000 * HOUR_MS - 1


def actions(*timestamps: int) -> list[Action]:
    return [Action(timestamp, "u", "click") for timestamp in timestamps]


@pytest.mark.parametrize(
    "timestamps",
    [
        [],
        [0, HOUR_MS - 1] * 10,
        [0, 10 * HOUR_MS, 1_000 * HOUR_MS] * 10,
        [JUST_BEFORE_AN_HOUR, JUST_BEFORE_AN_HOUR + 1, JUST_BEFORE_AN_HOUR + HOUR_MS + 1] * 10,
    ],
    ids=["none", "one", "far from each other", "around full hours"],
)
def test_as_many_hours_as_allowed_are_accepted_however_many_actions_they_have(timestamps: list[int]) -> None:
    require_few_hours(actions(*timestamps), 3)


@pytest.mark.parametrize(
    "timestamps",
    [[0, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS], [JUST_BEFORE_AN_HOUR + hour * HOUR_MS + 1 for hour in range(-1, 3)] * 5],
)
def test_one_hour_more_is_refused_with_how_many_there_are_and_may_be(timestamps: list[int]) -> None:
    with pytest.raises(RequestRefused) as refused:
        require_few_hours(actions(*timestamps), 3)
    assert (refused.value.status, refused.value.code) == (413, "too_many_hours")
    assert "actions of 4 different hours; at most 3 are accepted" in str(refused.value)


@pytest.mark.parametrize("seed", range(200))
def test_it_is_the_number_of_hours_that_counts(seed: int) -> None:
    rng = random.Random(seed)
    timestamps = [rng.randrange(rng.choice([1, 8, 500]) * HOUR_MS) for _ in range(rng.randrange(1, 30))]
    hours = len({timestamp // HOUR_MS for timestamp in timestamps})
    require_few_hours(actions(*timestamps), hours)
    if hours > 1:
        with pytest.raises(RequestRefused):
            require_few_hours(actions(*timestamps), hours - 1)
