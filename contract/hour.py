"""UTC hours. An hour is named by its start, in ms since the epoch."""

from datetime import UTC, datetime, timedelta

from contract.errors import InvalidHour
from contract.shown import shown

HOUR_MS = 3_600_000
END_OF_TIME_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z: the log's rules accept timestamps below it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hour_of(timestamp: int) -> int:
    """The start of the UTC hour that holds `timestamp` (both ms since the epoch)."""
    return timestamp - timestamp % HOUR_MS


def format_hour(hour: int) -> str:
    """`2026-11-24T09:00:00Z` for an hour's start in ms since the epoch."""
    return datetime.fromtimestamp(hour / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_hour(text: str) -> int:
    """The hour named by `2026-11-24T09` or by any ISO 8601 instant within it; UTC where it names no offset.

    Raises InvalidHour.
    """
    rule = "an hour is YYYY-MM-DDTHH or an ISO 8601 instant from 1970 up to 2100"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidHour(f"hour {shown(text)}: {rule}") from error
    if "T" not in text.upper():
        raise InvalidHour(f"hour {shown(text)}: {rule}; this names a day")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    timestamp = (instant - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= timestamp < END_OF_TIME_MS or "\x00" in text:  # fromisoformat takes a NUL for the end of the text
        raise InvalidHour(f"hour {shown(text)}: {rule}")
    return hour_of(timestamp)
