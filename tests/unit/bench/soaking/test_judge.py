import random
from collections.abc import Callable

import pytest

from bench.soaking.judge import MEMORY_STANDS_STILL, lag_growth, lag_stands_still, memory_growth

RATE = 200_000.0


def saw(lags: list[float]) -> list[int]:
    """Lines waiting at each second, with what flushes make of it."""
    rng = random.Random(2)
    return [round(RATE * (lag + rng.uniform(0, 0.5))) for lag in lags]


def resident(growth: Callable[[float], float]) -> list[float]:
    """MB of a process in each second of 20 minutes, from what it has more than at the start at each share of them."""
    rng = random.Random(2)
    return [200 + growth(second / 1200) + rng.uniform(-3, 3) for second in range(1200)]


def test_memory_that_fills_caches_at_first_stands() -> None:
    assert memory_growth(resident(lambda share: min(share, 0.25) * 400)) <= MEMORY_STANDS_STILL


@pytest.mark.parametrize("peak", [0.3, 0.45, 0.6, 0.7, 0.8, 0.9])
def test_memory_that_a_peak_raises_once_stands(peak: float) -> None:
    assert memory_growth(resident(lambda share: 80 * (share > peak))) <= MEMORY_STANDS_STILL


@pytest.mark.parametrize("peak", [0.3, 0.45, 0.6, 0.7, 0.8, 0.9])
def test_memory_that_grows_without_end_fails_though_a_peak_raises_it_too(peak: float) -> None:
    assert memory_growth(resident(lambda share: 80 * (share > peak) + 80 * share)) > MEMORY_STANDS_STILL


@pytest.mark.parametrize(("series", "expected"), [([9, 1, 10, 10, 20, 20, 40, 40], 2), ([4, 5], 1), ([4], 1)])
def test_growth_is_that_of_the_medians_of_quarters(series: list[float], expected: float) -> None:
    assert memory_growth(series) == expected


@pytest.mark.parametrize("level", [0.0, 0.3, 20.0])
def test_a_lag_that_stands_passes_whatever_flushes_make_of_it(level: float) -> None:
    assert lag_stands_still(saw([level] * 120), RATE)


def test_a_lag_that_rises_at_the_beginning_and_then_stands_passes() -> None:
    assert lag_stands_still(saw([min(second / 10, 3.0) for second in range(240)]), RATE)


def test_a_lag_that_falls_passes() -> None:
    assert lag_stands_still(saw([5 - second / 30 for second in range(120)]), RATE)


@pytest.mark.parametrize("minutes", [2, 20])
def test_a_lag_that_grows_without_end_fails_however_slowly(minutes: int) -> None:
    # 2 % more is sent than is counted; in 20 minutes, 0.2 % is seen.
    more = 0.02 if minutes == 2 else 0.002
    assert not lag_stands_still(saw([more * second for second in range(60 * minutes)]), RATE)


def test_what_grew_without_end_when_peaks_were_taken_for_limits_fails() -> None:
    # 206,000 a second were sent, 181,000 counted: after 14 minutes 20.9 million lines waited.
    waiting = [25_000 * second for second in range(14 * 60)]
    assert waiting[-1] > 20_900_000
    assert not lag_stands_still(waiting, 206_000)


def test_growth_is_told_in_seconds_of_what_is_sent() -> None:
    assert lag_growth([0, 0, 100, 100, 0, 0, 700, 700], 200) == 3
