"""One hour of one partition: its stored value, and the fold that makes it from records."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from contract.action import Action
from contract.event_names import counted_as
from contract.hash_set import NO_HASHES, Hashes, HashSet

MAX_SEGMENT_HASHES: Final = 6_000
"""48,000 bytes, 64,000 as base64: below the 64 KiB that InfluxDB allows a text field."""

MANY_ACTIONS: Final = 10_000
"""So many actions are counted at once, or as many as there are at a flush: one by one takes several times as long."""

_PACKED: Final = np.dtype("<u8")


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
    return np.fromiter(hashes, _PACKED).tobytes()


def unpack_hashes(packed: bytes) -> Hashes:
    """What `pack_hashes` packed."""
    return np.frombuffer(packed, _PACKED).astype(np.uint64, copy=False)


def hash_of_user(user: str) -> int:
    """64 bits that stand for a user."""
    return xxh3_64_intdigest(user.encode())


def hash_of_id(user: str, action_id: str) -> int:
    """64 bits that stand for (user, id); neither can hold the separator."""
    return xxh3_64_intdigest(f"{user}\x00{action_id}".encode())


def cut_segments(
    through_offset: int,
    users: Hashes | Sequence[int],
    ids: Hashes | Sequence[int],
    generation: int = 0,
    *,
    full: bool = False,
) -> list[Segment]:
    """The hashes of a segment, in as few parts as the store's limit on a text field allows; no parts for nothing."""
    users, ids = np.asarray(users, np.uint64), np.asarray(ids, np.uint64)
    parts = 1
    while len(users) + len(ids) > MAX_SEGMENT_HASHES * parts:
        parts *= 2
    while True:
        users_by_part, ids_by_part = _deal(users, parts), _deal(ids, parts)
        groups = [
            (part, users_by_part.get(part, NO_HASHES), ids_by_part.get(part, NO_HASHES))
            for part in sorted(users_by_part.keys() | ids_by_part.keys())
        ]
        if all(len(some_users) + len(some_ids) <= MAX_SEGMENT_HASHES for _, some_users, some_ids in groups):
            return [
                Segment(through_offset, _pack(some_users), _pack(some_ids), part, parts, generation, full)
                for part, some_users, some_ids in groups
            ]
        parts *= 2


def _deal(hashes: Hashes, parts: int) -> dict[int, Hashes]:
    """Each part that has any hashes. Whoever chooses users by their hashes makes `parts` rise; memory does not."""
    if parts == 1:
        return {0: hashes} if len(hashes) else {}
    part_of = hashes & np.uint64(parts - 1)
    # numpy sorts 16 bits stably in a twentieth of the time.
    order = np.argsort(part_of.astype(np.uint16) if parts <= 1 << 16 else part_of, kind="stable")
    dealt, numbers = hashes[order], part_of[order]
    cuts = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    return {int(some[0]) & (parts - 1): some for some in np.split(dealt, cuts) if len(some)}


def _pack(hashes: Hashes) -> bytes:
    return hashes.astype(_PACKED, copy=False).tobytes()


class Window:
    """A window as a worker holds it: a cache of the stored value, and what came since.

    `through_offset` is the highest offset that the stored counts cover; a record at or below it is a replay: it changes
    no count, but its hashes are still remembered.
    """

    def __init__(self, value: WindowValue, segments: Iterable[Segment] = ()) -> None:
        """A window as loaded: `segments` are those that belong to `value`, no later ones."""
        segments = list(segments)
        self.value = value
        """As loaded, or as of the last flush."""
        self.through_offset = value.through_offset
        self._users = HashSet(unpack_hashes(segment.users) for segment in segments)
        self._ids = HashSet(unpack_hashes(segment.ids) for segment in segments)
        self._replayed: list[Action] = []
        self._rising: list[Action] = []
        self._counts = dict(value.counts)
        self._duplicates = value.duplicates
        self._named = {value.fewest_partitions, value.most_partitions} if value.counts or value.duplicates else set()
        """Partition counts that records named in their headers."""
        self._new_users: list[Hashes] = []
        self._new_ids: list[Hashes] = []
        self.small_segments = sum(not segment.full for segment in segments)
        """How many segments a load of the stored value would have to read beside the full one."""

    @property
    def hashes(self) -> int:
        """How many hashes the window holds, as of its last flush."""
        return len(self._users) + len(self._ids)

    @property
    def size(self) -> int:
        """About how many bytes its hashes take."""
        return self._users.size + self._ids.size

    def fold(self, offset: int, partitions: int, actions: Sequence[Action]) -> None:
        """Counts the actions that one record has in this hour. Records come in the order of their offsets."""
        if offset <= self.through_offset:
            self._replayed += actions
        else:
            self._rising += actions
            self._named.add(partitions)
        if len(self._replayed) + len(self._rising) >= MANY_ACTIONS:
            self._count()

    def flush(self, through_offset: int) -> tuple[WindowValue, list[Segment]] | None:
        """The value and the segments to store for a flush that ends at `through_offset`; None if it does not rise.

        From here on the window counts as covered up to `through_offset`. In a window that does not rise, what the flush
        saw lies in stored segments already.
        """
        self._count()
        users, ids = self._new_users, self._new_ids
        self._new_users, self._new_ids = [], []
        if through_offset <= self.through_offset:
            return None
        self.through_offset = through_offset
        self.value = WindowValue(
            through_offset=through_offset,
            counts=dict(self._counts),
            duplicates=self._duplicates,
            unique_users=len(self._users),
            fewest_partitions=min(self._named, default=0),
            most_partitions=max(self._named, default=0),
            generation=self.value.generation,
            full_through=self.value.full_through,
        )
        segments = cut_segments(through_offset, _all(users), _all(ids), self.value.generation)
        self.small_segments += len(segments)
        return self.value, segments

    def full_segments(self) -> list[Segment]:
        """All hashes, as segments to store up to `through_offset`; none while there are some from beyond it."""
        if self._new_users or self._new_ids:
            return []
        return cut_segments(self.through_offset, self._users.all(), self._ids.all(), self.value.generation, full=True)

    def refer_to_full(self, through_offset: int) -> None:
        """From now on its values say that what came up to here lies in full segments: these must be acknowledged."""
        self.value = msgspec.structs.replace(self.value, full_through=through_offset)
        self.small_segments = 0

    def _count(self) -> None:
        replayed, rising = self._replayed, self._rising
        self._replayed, self._rising = [], []
        self._remember(replayed)
        counted = self._remember(rising)
        self._duplicates += len(rising) - len(counted)
        # In the order in which each event first came.
        for event, number in Counter([action.event for action in counted]).items():
            name = counted_as(event, self._counts)
            self._counts[name] = self._counts.get(name, 0) + number

    def _remember(self, actions: list[Action]) -> list[Action]:
        """Remembers users and ids; returns those of the actions that are no duplicates."""
        if not actions:
            return actions
        counted = self._without_duplicates(actions)
        self._new_users.append(self._users.add([xxh3_64_intdigest(action.user.encode()) for action in counted]))
        return counted

    def _without_duplicates(self, actions: list[Action]) -> list[Action]:
        hashes = [hash_of_id(action.user, action.id) for action in actions if action.id is not None]
        if not hashes:
            return actions
        new = self._ids.add(hashes)
        self._new_ids.append(new)
        if len(new) == len(hashes):
            return actions
        counted, unseen, hash_of_next = [], set(new.tolist()), iter(hashes)
        for action in actions:
            if action.id is not None:
                id_hash = next(hash_of_next)
                if id_hash not in unseen:
                    continue
                unseen.remove(id_hash)
            counted.append(action)
        return counted


def _all(hashes: list[Hashes]) -> Hashes:
    return hashes[0] if len(hashes) == 1 else np.concatenate([NO_HASHES, *hashes])
