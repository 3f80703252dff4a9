"""Which unit a timestamp is in that was not meant to be ms."""

from typing import Final

from contract.hour import END_OF_TIME_MS

_1990_MS: Final = 631_152_000_000
"""From here to 2100 an instant in one unit is none in another."""

_PER_MS: Final = {"seconds": 1 / 1_000, "microseconds": 1_000, "nanoseconds": 1_000_000}


def unit_hint(timestamp: float) -> str | None:
    """What to tell about a timestamp that is refused: `it looks like seconds, not milliseconds`; None: nothing."""
    for unit, per_ms in _PER_MS.items():
        if _1990_MS * per_ms <= timestamp < END_OF_TIME_MS * per_ms:
            return f"it looks like {unit}, not milliseconds"
    return None
