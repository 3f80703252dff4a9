"""The keys that are valid now, as their file says; it is read again when it changes."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from service.clock import Clock
from service.keys.caller import Caller, Timer
from service.keys.errors import KeysUnreadable, Unauthenticated
from service.keys.key import Key
from service.keys.keys_file import read_keys
from service.keys.presented import Header, key_in_header
from service.keys.secret import digest_of

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS: Final = 1.0
_MOST_HEADERS: Final = 1_000
"""A key's holder may write the same header in many ways."""
_LONGEST_HEADER: Final = 256
"""Several times what a key takes: others are looked up each time, rather than kept."""


class _Entry(NamedTuple):
    caller: Caller
    expires: int | None
    """Ms since the epoch, UTC; from then on the key is refused."""


class KeyRing:
    """Finds who a key belongs to.

    A key is looked up by the SHA-256 of what was sent, so comparisons need not take the same time for all: what a
    guess could learn from them is a part of a stored hash, and no key can be computed from the whole of it. Known or
    not, a key costs one hash and one look into a dictionary. A header that held a known one is remembered as it came,
    under the dictionary's own keyed hash, of which a guess learns nothing either.
    """

    def __init__(self, path: Path, clock: Clock, timer: Timer = monotonic) -> None:
        """Raises KeysUnreadable."""
        self._path = path
        self._clock = clock
        self._timer = timer
        self._callers: dict[str, Caller] = {}
        self._entries: dict[bytes, _Entry] = {}
        self._by_header: dict[Header, _Entry] = {}
        self._seen = _state_of(path)
        self._take(read_keys(path))
        self._look_at = timer() + _SECONDS_BETWEEN_LOOKS

    def find_by_header(self, header: Header) -> Caller | None:
        """Whose key the header holds; None where it holds none. Otherwise as `find`."""
        if self._timer() >= self._look_at:
            self._look()
        entry = self._by_header.get(header)
        if entry is None:
            secret = key_in_header(header)
            if secret is None:
                return None
            entry = self._entry_of(secret)
            self._remember(header, entry)
        return self._valid(entry)

    def find(self, secret: bytes) -> Caller:
        """Whose key it is. Raises Unauthenticated. A change of the file holds a second later at most."""
        if self._timer() >= self._look_at:
            self._look()
        return self._valid(self._entry_of(secret))

    def _remember(self, header: Header, entry: _Entry) -> None:
        if len(header[1]) > _LONGEST_HEADER:
            return
        if len(self._by_header) >= _MOST_HEADERS:
            self._by_header.clear()
        self._by_header[header] = entry

    def _entry_of(self, secret: bytes) -> _Entry:
        entry = self._entries.get(digest_of(secret))
        if entry is None:
            raise Unauthenticated("key_unknown", "the key is not known here: it is mistyped, or was revoked")
        return entry

    def _valid(self, entry: _Entry) -> Caller:
        if entry.expires is not None and self._clock() >= entry.expires:
            raise Unauthenticated("key_expired", f"the key {entry.caller.key.name} has expired")
        return entry.caller

    def _look(self) -> None:
        self._look_at = self._timer() + _SECONDS_BETWEEN_LOOKS
        state = _state_of(self._path)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._take(read_keys(self._path))
        except KeysUnreadable as error:
            logger.error("the keys stay as they were: %s", error)  # noqa: TRY400 - the text says all
        else:
            logger.info("%s has changed: %d keys", self._path, len(self._callers))

    def _take(self, keys: Sequence[Key]) -> None:
        callers = {key.name: Caller(key, self._timer, self._callers.get(key.name)) for key in keys}
        entries = {}
        for caller in callers.values():
            key = caller.key
            entries[bytes.fromhex(key.sha256)] = _Entry(caller, _ms(key.expires))
            if key.previous is not None:
                # It never outlives the key that replaced it.
                expires = min(key.previous.expires, key.expires or key.previous.expires)
                entries[bytes.fromhex(key.previous.sha256)] = _Entry(caller, _ms(expires))
        self._callers, self._entries, self._by_header = callers, entries, {}


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
