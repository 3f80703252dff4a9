"""How many names of events an hour may have: a foreign producer can make up any number of them."""

from collections.abc import Container, Sized
from typing import Final, Protocol

BUSINESS_EVENTS: Final = ("click", "impression")
"""Always counted under their own names."""

MAX_EVENT_NAMES: Final = 1_000
"""Some 25,000 fill the largest text that InfluxDB 2 takes in a field: then nothing more could be stored."""

OTHER_EVENTS: Final = "_other"
"""What further events are counted as; no event can have this name."""


class _Names(Sized, Container[str], Protocol):
    """Names that were counted so far."""


def counted_as(event: str, names: _Names) -> str:
    """The name that an action counts under in a window which has counted `names` so far, in the order of the log."""
    if event in names or len(names) < MAX_EVENT_NAMES or event in BUSINESS_EVENTS:
        return event
    return OTHER_EVENTS
