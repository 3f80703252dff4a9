"""What adding, revoking and rotating make of the keys that there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from collector.keys.errors import NameTaken, NoSuchKey
from service.keys.key import Key, Previous
from service.keys.secret import digest_of

Keys = Sequence[Key]


def added(keys: Keys, key: Key) -> list[Key]:
    """With one more. Raises NameTaken."""
    if any(one.name == key.name for one in keys):
        raise NameTaken(f"there is a key {key.name}: rotate it, revoke it, or take another name")
    return [*keys, key]


def revoked(keys: Keys, name: str) -> list[Key]:
    """Without the one of this name, and without what it replaced. Raises NoSuchKey."""
    _named(keys, name)
    return [key for key in keys if key.name != name]


def rotated(keys: Keys, name: str, secret: str, now: datetime, overlap: timedelta) -> list[Key]:
    """With another text for the key of this name; the one until now works on for `overlap`. Raises NoSuchKey."""
    old = _named(keys, name)
    previous = Previous(old.sha256, now + overlap) if overlap else None
    changed = msgspec.structs.replace(old, sha256=hex_of(secret), previous=previous)
    return [changed if key.name == name else key for key in keys]


def hex_of(secret: str) -> str:
    """What the file has of a key's text."""
    return digest_of(secret.encode()).hex()


def _named(keys: Keys, name: str) -> Key:
    for key in keys:
        if key.name == name:
            return key
    raise NoSuchKey(f"there is no key {name}")
