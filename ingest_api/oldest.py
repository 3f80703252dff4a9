"""The earliest timestamp that is accepted: an instant, or an age that moves with the clock."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import TypeAdapter

from contract.hour import END_OF_TIME_MS
from service.settings import duration_text

Oldest = int | timedelta
"""Ms since the epoch, UTC; or how long before now, at each moment."""

MS: Final = timedelta(milliseconds=1)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS: Final = "a date (1990-01-01), a date and time, ms since the epoch, or a duration before now (P400D)"
_DURATION: Final = TypeAdapter(timedelta)


def parse_oldest(value: object) -> object:
    """What a setting's text means; anything but a text is left as it is. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        return _parsed(value.strip())
    except ValueError as error:
        raise ValueError(f"should be {_FORMS}") from error


def check_oldest(oldest: Oldest) -> Oldest:
    """Raises ValueError for what is before 1970, or after 2099, or not before now."""
    if isinstance(oldest, timedelta):
        if oldest <= timedelta(0):
            raise ValueError("a duration before now is above zero")
    elif not 0 <= oldest < END_OF_TIME_MS:
        raise ValueError("an instant lies from 1970 up to 2100")
    return oldest


def _parsed(text: str) -> Oldest:
    if text.removeprefix("-").isdecimal():
        return int(text)
    if text.upper().startswith(("P", "-P")):
        return _DURATION.validate_python(text)
    instant = datetime.fromisoformat(text)
    return ((instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH) // MS


def rule_of(oldest: Oldest) -> str:
    """In words."""
    if isinstance(oldest, timedelta):
        return f"timestamp is at most {duration_text(oldest)} before the server's clock"
    instant = (_EPOCH + oldest * MS).isoformat(timespec="milliseconds" if oldest % 1000 else "seconds")
    return f"timestamp is {instant.replace('+00:00', 'Z')} ({oldest}) or later"
