"""The clock that services are handed."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Now, in ms since the epoch, UTC."""


def wall_clock() -> int:
    """Ms since the epoch, UTC; rounded down: never later than it is."""
    return time.time_ns() // 1_000_000
