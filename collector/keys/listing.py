"""Keys as people see them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from service.keys.key import Key

_HEAD = ("NAME", "SCOPES", "LIMITS", "EXPIRES")


def as_text(keys: Sequence[Key], now: datetime) -> Iterator[str]:
    """A line for each key beneath a head."""
    rows = [_HEAD, *((key.name, ",".join(sorted(key.scopes)), _limits(key), _expiry(key, now)) for key in keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    for row in rows:
        yield "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])


def _limits(key: Key) -> str:
    limits = [
        key.events and f"events {','.join(key.events)}",
        key.origins and f"origins {','.join(key.origins)}",
        key.actions_per_second and f"{key.actions_per_second:g} actions/s",
        key.requests_per_second and f"{key.requests_per_second:g} requests/s",
        key.hours and f"{key.hours} hours",
    ]
    return "; ".join(limit for limit in limits if limit) or "none"


def _expiry(key: Key, now: datetime) -> str:
    expiry = _instant(key.expires, now) if key.expires else "never"
    previous = key.previous
    if previous is None or previous.expires <= now:
        return expiry
    return f"{expiry}; the one before {_instant(previous.expires, now)}"


def _instant(instant: datetime, now: datetime) -> str:
    text = instant.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{text} (expired)" if instant <= now else text
