"""A key, as a line of the file of keys describes it. The key itself stands nowhere: the file has its SHA-256."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from contract.log.action import is_event
from contract.origin import ORIGIN_RULE, is_origin
from contract.shown import shown


class Scope(StrEnum):
    """What a key is for."""

    WRITE = "write"
    """To send actions."""
    READ = "read"
    """To read numbers."""
    BACKFILL = "backfill"
    """To send actions that are older than COLLECTOR_INGEST_OLDEST; needs `write` too."""
    ADMIN = "admin"
    """To read the ledger and the metrics."""


_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_RULE: Final = "a name has up to 64 of A-Z, a-z, 0-9, dot, _ and -, and begins with a letter or digit"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_Rate = Annotated[float, msgspec.Meta(gt=0)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Previous(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key that a rotation replaced, and until when it still works."""

    sha256: str
    expires: _Instant

    def __post_init__(self) -> None:
        _require_sha256(self.sha256)


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Who has it may do what its scopes say. All limits are those of one process of a service."""

    name: str
    sha256: str
    """Of the key's text, in lower-case hexadecimal digits."""
    scopes: frozenset[Scope]
    events: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    """The events that it may send; None: all that the API accepts."""
    origins: tuple[str, ...] = ()
    """Where there are some it is a browser's key: for pages of these origins, and for nothing but `write`."""
    actions_per_second: _Rate | None = None
    requests_per_second: _Rate | None = None
    hours: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """In how many distinct hours the actions may lie that it sends within an hour of the clock."""
    expires: _Instant | None = None
    previous: Previous | None = None

    def __post_init__(self) -> None:
        require_name(self.name)
        _require_sha256(self.sha256)
        self._require_scopes()
        for event in self.events or ():
            if not is_event(event):
                raise ValueError(f"{shown(event)} is not the name of an event")
        for origin in self.origins:
            if not is_origin(origin):
                raise ValueError(f"{shown(origin)} is not an origin: {ORIGIN_RULE}")

    @property
    def is_write_only(self) -> bool:
        """Whether it is harmless enough to stand in an address."""
        return self.scopes == {Scope.WRITE}

    def _require_scopes(self) -> None:
        if not self.scopes:
            raise ValueError("a key has at least one scope")
        if Scope.BACKFILL in self.scopes and Scope.WRITE not in self.scopes:
            raise ValueError("a key with the scope backfill has the scope write, too")
        if self.origins and not self.is_write_only:
            raise ValueError("a key with origins has the scope write alone: whoever opens the page can read the key")


def require_name(name: str) -> None:
    """Raises ValueError for what cannot be a key's name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{shown(name)}: {NAME_RULE}")


def _require_sha256(digest: str) -> None:
    if not _SHA256.fullmatch(digest):
        raise ValueError("a SHA-256 has 64 hexadecimal digits, in lower case")


_decode = msgspec.json.Decoder(Key).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def parse_key(line: bytes) -> Key:
    """The key that a line describes. Raises ValueError."""
    try:
        return _decode(line)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def key_line(key: Key) -> bytes:
    """The line that describes a key, without the newline."""
    return _encode(key)
