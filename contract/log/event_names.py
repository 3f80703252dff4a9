"""How many event names an hour may have: a foreign producer can invent any number of them."""

from collections.abc import Container, Sized
from typing import Final, Protocol

BUSINESS_EVENTS: Final = ("click", "impression")
"""Always counted under their own names."""

MAX_EVENT_NAMES: Final = 1_000
"""About 25,000 fill the largest string that InfluxDB 2 accepts in a field: nothing more could be stored then."""

OTHER_EVENTS: Final = "_other"
"""The name that further events are counted under; no event can have it."""


class _Names(Sized, Container[str], Protocol):
    """Names that have been counted so far."""


def counted_as(event: str, names: _Names) -> str:
    """The name that an action counts under in a window which has counted `names` so far, in the order of the log."""
    if event in names or len(names) < MAX_EVENT_NAMES or event in BUSINESS_EVENTS:
        return event
    return OTHER_EVENTS
