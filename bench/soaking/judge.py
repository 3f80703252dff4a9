"""Whether what was sampled stood still."""

from collections.abc import Sequence
from statistics import median
from typing import Final

STANDS_STILL_SECONDS: Final = 0.5
"""What may wait more at the end than at the beginning, in seconds of what is sent: half a second in ten minutes is
less than a thousandth of the rate, and flushes alone make it vary by as much from one look to the next."""

MEMORY_STANDS_STILL: Final = 1.1
"""The last quarter's median memory by the second quarter's, at most: in the first one caches fill."""


def memory_growth(series: Sequence[float]) -> float:
    """The median of its last quarter by that of its second one; of a short series, of its end by its beginning."""
    before, after = _quarters(series)
    return after / before


def lag_growth(waiting: Sequence[int], rate: float) -> float:
    """By how many seconds the lag grew from its second quarter to its last; `waiting` in lines, `rate` in lines/s."""
    before, after = _quarters(waiting)
    return (after - before) / rate


def lag_stands_still(waiting: Sequence[int], rate: float) -> bool:
    """Whether as much is counted as is sent: else ever more lines wait, however few they are yet."""
    return lag_growth(waiting, rate) <= STANDS_STILL_SECONDS


def _quarters(series: Sequence[float]) -> tuple[float, float]:
    quarter = max(1, len(series) // 4)
    return median(series[quarter : 2 * quarter] or series[:1]), median(series[-quarter:])
