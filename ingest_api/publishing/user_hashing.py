"""A publisher that hands on a keyed hash in place of each user, so that no user's name reaches the log or the store."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, overload

import msgspec

from contract.log.action import Action
from ingest_api.publishing.publisher import OnDelivered, Publisher

SHORTEST_KEY: Final = 32
LONGEST_KEY: Final = 64
"""Bytes; BLAKE2b takes no longer one."""

_DIGEST_BYTES: Final = 16
"""Among a billion users the expected number of pairs that share a hash is 10⁻²¹."""


def key_in(file: Path) -> bytes:
    """The key, without the line break at its end. Raises ValueError, which does not show it."""
    try:
        key = file.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(f"the file holds {len(key)} bytes; a key has {SHORTEST_KEY} to {LONGEST_KEY}")
    return key


class HashingPublisher:
    """Stands before another publisher; `key` must be the same in all processes, and stay the same.

    A user is 32 hexadecimal digits then: BLAKE2b of its UTF-8 with this key, of 16 bytes.
    """

    def __init__(self, publisher: Publisher, key: bytes) -> None:
        self._publisher = publisher
        self._keyed = blake2b(key=key, digest_size=_DIGEST_BYTES)
        self.start = publisher.start
        self.unavailable_reason = publisher.unavailable_reason
        self.close = publisher.close

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        """As any publisher's."""
        self._publisher.submit(_Hashed(actions, self._hashed), on_delivered)

    def _hashed(self, action: Action) -> Action:
        return msgspec.structs.replace(action, user=self._hash(action.user))

    def _hash(self, user: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(user.encode())
        return keyed.hexdigest()


class _Hashed(Sequence[Action]):
    """Actions that are hashed as they are taken: a publisher takes as many at once as it has time for."""

    def __init__(self, actions: Sequence[Action], hashed: Callable[[Action], Action]) -> None:
        self._actions = actions
        self._hashed = hashed

    def __len__(self) -> int:
        return len(self._actions)

    def __iter__(self) -> Iterator[Action]:
        return map(self._hashed, self._actions)

    @overload
    def __getitem__(self, place: int) -> Action: ...

    @overload
    def __getitem__(self, place: slice) -> list[Action]: ...

    def __getitem__(self, place: int | slice) -> Action | list[Action]:
        found = self._actions[place]
        return self._hashed(found) if isinstance(found, Action) else [self._hashed(action) for action in found]
