"""The search for the highest rate that holds."""

from collections.abc import Awaitable, Callable
from math import sqrt
from typing import Final

from bench.case import WrongResult

PRECISION: Final = 1.05
"""The lowest rate that did not hold by the highest that did, at most."""


async def highest(holds: Callable[[float], Awaitable[bool]], low: float, high: float) -> float:
    """The highest rate between `low` and `high` that held. Raises WrongResult where none did."""
    found = 0.0
    while high > low * PRECISION:
        middle = sqrt(low * high)
        if await holds(middle):
            low = found = middle
        else:
            high = middle
    if not found:
        raise WrongResult(f"no rate above {low:,.0f} actions/s held")
    return found
