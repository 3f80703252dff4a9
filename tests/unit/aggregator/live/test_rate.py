from aggregator.live.rate import ActionRate
from contract.hour import HOUR_MS

HOUR = 1_795_510_800_000


def rates(*readings: tuple[int, int], hour: int = HOUR) -> list[float]:
    """Of readings at (ms within the hour, actions)."""
    rate = ActionRate()
    return [rate.per_second(hour, hour + instant, actions) for instant, actions in readings]


def test_a_first_reading_tells_no_rate() -> None:
    assert rates((1_000, 500)) == [0.0]


def test_a_rate_is_what_was_added_over_the_time_that_passed() -> None:
    assert rates((0, 0), (500, 50), (1_000, 100), (2_000, 100)) == [0.0, 100.0, 100.0, 50.0]


def test_a_rate_is_taken_over_the_last_seconds() -> None:
    assert rates((0, 0), (1_000, 1_000), (6_000, 1_000), (12_000, 1_060))[-1] == 10.0


def test_a_reading_through_the_same_instant_changes_nothing() -> None:
    assert rates((0, 0), (1_000, 10), (1_000, 10)) == [0.0, 10.0, 10.0]


def test_an_hour_that_is_watched_from_its_beginning_begins_at_zero() -> None:
    rate = ActionRate()
    rate.per_second(HOUR, HOUR + HOUR_MS - 500, 1_000_000)
    assert rate.per_second(HOUR + HOUR_MS, HOUR + HOUR_MS + 500, 10) == 20.0


def test_numbers_that_were_put_right_by_a_rebuild_give_no_negative_rate() -> None:
    assert rates((0, 100), (1_000, 10)) == [0.0, 0.0]
