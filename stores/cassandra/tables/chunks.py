"""Chunks: partitions of Cassandra that one process alone appends rows to, of all partitions of the log and all hours.

So a flush is few writes, however many windows it touches, and no partition of Cassandra grows beyond a bound, however
much an hour has. A chunk's number is random: so no two processes write the same row. Lists say which chunks hold what.
"""

from collections.abc import Iterable
from secrets import randbits
from typing import Generic, NamedTuple, TypeVar

from stores.cassandra.driver.mutations import Values, size_of

K = TypeVar("K")


class Chunk(Generic[K]):
    """A chunk that was begun at the instant `begun` (ms since the epoch)."""

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.number = randbits(63)
        self.size = 0
        self.listed: set[K] = set()
        """What the list is known to say of it."""


class Appended(NamedTuple, Generic[K]):
    """What one call appends to one chunk: rows that begin with its number, and what the list must say of it."""

    chunk: Chunk[K]
    rows: list[Values]
    keys: set[K]

    def unlisted(self) -> set[K]:
        """What the list is not known to say yet."""
        return self.keys - self.chunk.listed

    def acknowledged(self) -> None:
        """All of it was written, the list too."""
        self.chunk.listed.update(self.keys)


class Chunks(Generic[K]):
    """Appends to one chunk until it is full, or too old; then to the next."""

    def __init__(self, max_bytes: int, max_age: int | None = None) -> None:
        """`max_age` in ms; None: a chunk never is too old."""
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._chunk: Chunk[K] = Chunk(0)

    def append(self, rows: Iterable[tuple[K, Values]], now: int = 0) -> list[Appended[K]]:
        """The rows by the chunks that they are appended to, each after what the list must say of it."""
        appended: list[Appended[K]] = []
        for key, row in rows:
            size = size_of(row)
            if self._is_over(size, now):
                self._chunk = Chunk(now)
            if not appended or appended[-1].chunk is not self._chunk:
                appended.append(Appended(self._chunk, [], set()))
            self._chunk.size += size
            appended[-1].rows.append((self._chunk.number, *row))
            appended[-1].keys.add(key)
        return appended

    def _is_over(self, size: int, now: int) -> bool:
        is_full = self._chunk.size > 0 and self._chunk.size + size > self._max_bytes
        return is_full or (self._max_age is not None and now - self._chunk.begun > self._max_age)
