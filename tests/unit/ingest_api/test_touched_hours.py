from contract.hour import HOUR_MS
from ingest_api.touched_hours import TouchedHours

NOW = 1_800_000_000_000


def test_so_many_distinct_hours_may_be_touched_and_those_again_and_again() -> None:
    hours = TouchedHours(3)
    assert hours.admit({1, 2}, NOW)
    assert hours.admit({2, 3}, NOW)
    assert not hours.admit({4}, NOW)
    assert hours.admit({1, 2, 3}, NOW)


def test_what_is_not_admitted_touches_nothing() -> None:
    hours = TouchedHours(3)
    assert hours.admit({1}, NOW)
    assert not hours.admit({2, 3, 4}, NOW)
    assert hours.admit({2, 3}, NOW)


def test_with_the_next_hour_of_the_clock_it_begins_anew() -> None:
    hours = TouchedHours(1)
    assert hours.admit({1}, NOW)
    assert not hours.admit({2}, NOW - NOW % HOUR_MS + HOUR_MS - 1)
    assert hours.admit({2}, NOW - NOW % HOUR_MS + HOUR_MS)
    assert not hours.admit({1}, NOW + HOUR_MS)
