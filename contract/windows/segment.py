"""Segments: where the users and ids of a window are stored."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from contract.windows.hashes import NO_HASHES, Hashes, pack_hashes
from contract.windows.window_value import WindowValue

MAX_SEGMENT_HASHES: Final = 6_000
"""48,000 bytes, 64,000 as base64: below the 64 KiB that InfluxDB allows a text field."""


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
        """Whether the users and ids of a window are stored here: never those of a later attempt to count on."""
        if self.generation != value.generation:
            return False
        if self.full:
            return self.through_offset == value.full_through
        return value.full_through < self.through_offset <= value.through_offset


def cut_segments(
    through_offset: int,
    users: Hashes | Sequence[int],
    ids: Hashes | Sequence[int],
    generation: int = 0,
    *,
    full: bool = False,
) -> list[Segment]:
    """The hashes of a segment, in as few parts as the store's limit on a string field allows; no hashes, no parts."""
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
                Segment(through_offset, pack_hashes(some_users), pack_hashes(some_ids), part, parts, generation, full)
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
