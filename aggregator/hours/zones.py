"""The time zones that days and hours may be asked for in."""

from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_PLACEHOLDER: Final = "Factory"
"""IANA's own name for a zone that nobody has chosen yet."""


def iana_zone(name: str) -> ZoneInfo | None:
    """The zone that IANA calls so; None where it calls none so.

    ZoneInfo itself takes whatever lies in the system's folder of zones: the machine's own (`localtime`), zones with
    leap seconds (`right/UTC`), what the C library reads (`posixrules`).
    """
    try:
        return ZoneInfo(name) if name in _names() else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the system's file of it is damaged
        return None


@cache
def _names() -> frozenset[str]:
    """As the package of IANA's data lists them: `zoneinfo.available_timezones` takes 50 ms, and lists `localtime`."""
    return frozenset((resources.files("tzdata") / "zones").read_text("utf-8").split()) - {_PLACEHOLDER}
