"""One hour of one partition: its stored value, and the fold that makes it from records."""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from contract.action import Action

MAX_SEGMENT_HASHES: Final = 6_000
"""48,000 bytes, 64,000 as base64: below the 64 KiB that InfluxDB allows a text field."""


class WindowValue(msgspec.Struct, frozen=True):
    """What the log up to `through_offset` gives for one hour of one partition: a pure function of these.

    `generation` and `full_through` only tell where its users and ids are kept.
    """

    through_offset: int = -1
    counts: dict[str, int] = {}
    """Counted actions by event."""
    duplicates: int = 0
    """Lines whose (user, id) had been counted in this hour before."""
    unique_users: int = 0
    fewest_partitions: int = 0
    """Fewest partitions that a record's header named; 0: some record had no header."""
    most_partitions: int = 0
    generation: int = 0
    """Names the rebuild that the value descends from; 0: none. Only segments of the same one belong to it."""
    full_through: int = -1
    """The full segment up to here holds all that came before it; -1: there is none."""


class Segment(NamedTuple):
    """Hashes that a window first saw in one flush, which ended at `through_offset`: part `part` of `parts` of them.

    `users` and `ids` are 64-bit hashes, 8 bytes each, little-endian. A hash belongs to part `hash % parts`: so
    whichever writer writes (through_offset, part, parts), it holds at least what came since a committed progress. Parts
    cut by offset would not: a late write of one could replace a fuller one (tests/model/protocol.py, cut-by-record).
    """

    through_offset: int
    users: bytes
    ids: bytes
    part: int = 0
    parts: int = 1
    generation: int = 0
    full: bool = False
    """It holds all of the window's hashes up to `through_offset`, not only those that were new."""

    def belongs_to(self, value: WindowValue) -> bool:
        """Whether the users and ids of a window are to be found here: never those of a later attempt to count on."""
        if self.generation != value.generation:
            return False
        if self.full:
            return self.through_offset == value.full_through
        return value.full_through < self.through_offset <= value.through_offset


def pack_hashes(hashes: Iterable[int]) -> bytes:
    """64-bit hashes as 8 bytes each, little-endian."""
    packed = array("Q", hashes)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_hashes(packed: bytes) -> "array[int]":
    """What `pack_hashes` packed."""
    hashes = array("Q", packed)
    if sys.byteorder == "big":
        hashes.byteswap()
    return hashes


def hash_of_user(user: str) -> int:
    """64 bits that stand for a user."""
    return xxh3_64_intdigest(user.encode())


def hash_of_id(user: str, action_id: str) -> int:
    """64 bits that stand for (user, id); neither can hold the separator."""
    return xxh3_64_intdigest(f"{user}\x00{action_id}".encode())


def cut_segments(through_offset: int, users: Sequence[int], ids: Sequence[int], generation: int = 0) -> list[Segment]:
    """What a flush first saw, in as few parts as the store's limit on a text field allows; no parts for nothing."""
    parts = 1
    while len(users) + len(ids) > MAX_SEGMENT_HASHES * parts:
        parts *= 2
    while True:
        groups = _deal(users, ids, parts)
        if all(len(some_users) + len(some_ids) <= MAX_SEGMENT_HASHES for some_users, some_ids in groups.values()):
            return [
                Segment(through_offset, pack_hashes(some_users), pack_hashes(some_ids), part, parts, generation)
                for part, (some_users, some_ids) in sorted(groups.items())
            ]
        parts *= 2


def _deal(users: Iterable[int], ids: Iterable[int], parts: int) -> dict[int, tuple[list[int], list[int]]]:
    """Each part that has any hashes. Whoever chooses users by their hashes makes `parts` rise; memory does not."""
    groups: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for value in users:
        groups[value % parts][0].append(value)
    for value in ids:
        groups[value % parts][1].append(value)
    return groups


class Window:
    """A window as a worker holds it: a cache of the stored value, and what came since.

    `through_offset` is the highest offset that the stored counts cover; a record at or below it is a replay: it changes
    no count, but its hashes are still remembered.
    """

    def __init__(self, value: WindowValue, segments: Iterable[Segment] = ()) -> None:
        """A window as loaded: `segments` are those that belong to `value`, no later ones."""
        self.through_offset = value.through_offset
        self._counts = dict(value.counts)
        self._duplicates = value.duplicates
        self._fewest = value.fewest_partitions
        self._most = value.most_partitions
        self._generation = value.generation
        self._full_through = value.full_through
        self._any = bool(value.counts or value.duplicates)
        self._users: set[int] = set()
        self._ids: set[int] = set()
        for segment in segments:
            self._users.update(unpack_hashes(segment.users))
            self._ids.update(unpack_hashes(segment.ids))
        self._new_users: list[int] = []
        self._new_ids: list[int] = []

    @property
    def hashes(self) -> int:
        """How many hashes the window holds."""
        return len(self._users) + len(self._ids)

    def fold(self, offset: int, partitions: int, actions: Sequence[Action]) -> None:
        """Counts the actions that one record has in this hour. Records come in the order of their offsets."""
        users, ids, counts = self._users, self._ids, self._counts
        rising = offset > self.through_offset
        new_users, new_ids = self._new_users, self._new_ids
        for action in actions:
            if action.id is not None:
                id_hash = hash_of_id(action.user, action.id)
                if id_hash in ids:
                    self._duplicates += rising
                    continue
                ids.add(id_hash)
                new_ids.append(id_hash)
            if rising:
                counts[action.event] = counts.get(action.event, 0) + 1
            user_hash = xxh3_64_intdigest(action.user.encode())
            if user_hash not in users:
                users.add(user_hash)
                new_users.append(user_hash)
        if rising:
            self._fewest = min(self._fewest, partitions) if self._any else partitions
            self._most = max(self._most, partitions)
            self._any = True

    def flush(self, through_offset: int) -> tuple[WindowValue, list[Segment]] | None:
        """The value and the segments to store for a flush that ends at `through_offset`; None if it does not rise.

        From here on the window counts as covered up to `through_offset`. In a window that does not rise, what the flush
        saw lies in stored segments already.
        """
        users, ids = self._new_users, self._new_ids
        self._new_users, self._new_ids = [], []
        if through_offset <= self.through_offset:
            return None
        segments = cut_segments(through_offset, users, ids, self._generation)
        self.through_offset = through_offset
        value = WindowValue(
            through_offset=through_offset,
            counts=dict(self._counts),
            duplicates=self._duplicates,
            unique_users=len(self._users),
            fewest_partitions=self._fewest,
            most_partitions=self._most,
            generation=self._generation,
            full_through=self._full_through,
        )
        return value, segments
