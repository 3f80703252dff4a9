"""Times as SDKs write them."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from contract.log.action import Rejection, reject

RULES: Final = {
    "timestamp_malformed": "a time is a text as ISO 8601 writes date and time, such as 2026-11-27T12:00:00.123Z, "
    "or a number of ms since the epoch",
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_DATE_AND_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII
)
"""Python reads more: a date alone, weeks, any character between date and time."""


def in_ms(field: str, value: object) -> int | Rejection:
    """Ms since the epoch, rounded down. Whether that is in range, `check` says. A text without an offset is UTC."""
    if isinstance(value, str) and _DATE_AND_TIME.fullmatch(value):
        try:
            time = datetime.fromisoformat(value.upper())
        except ValueError:
            return _reject(field, value)
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MS
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return math.floor(value)
    return _reject(field, value)


def _reject(field: str, value: object) -> Rejection:
    return reject("timestamp_malformed", field, value, RULES["timestamp_malformed"])
