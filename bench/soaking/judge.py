"""Whether what was sampled stood still."""

from collections.abc import Sequence
from statistics import median
from typing import Final

STANDS_STILL_SECONDS: Final = 0.5
"""What may wait more at the end than at the beginning, in seconds of what is sent: half a second in ten minutes is
less than a thousandth of the rate, and flushes alone make it vary by as much from one look to the next."""

MEMORY_STANDS_STILL: Final = 1.05
"""A quarter's median memory by that of the one before, at most: the same slope as 10 % in two quarters."""


def memory_growth(series: Sequence[float]) -> float:
    """By how much memory grew from one quarter to the next: the lesser of the steps after the second and the third one.

    In the first quarter caches fill. What leaks grows in every quarter; a peak of load raises memory in one, and
    CPython keeps it.
    """
    _, second, third, last = _quarters(series)
    return min(third / second, last / third)


def lag_growth(waiting: Sequence[int], rate: float) -> float:
    """By how many seconds the lag grew from its second quarter to its last; `waiting` in lines, `rate` in lines/s."""
    _, second, _, last = _quarters(waiting)
    return (last - second) / rate


def lag_stands_still(waiting: Sequence[int], rate: float) -> bool:
    """Whether as much is counted as is sent: else ever more lines wait, however few they are yet."""
    return lag_growth(waiting, rate) <= STANDS_STILL_SECONDS


def _quarters(series: Sequence[float]) -> tuple[float, float, float, float]:
    """The median of each; in a series of less than four, the last one stands for those that are missing."""
    quarter = max(1, len(series) // 4)
    first, second, third = (median(series[at * quarter : (at + 1) * quarter] or series[-1:]) for at in range(3))
    return first, second, third, median(series[-quarter:])
