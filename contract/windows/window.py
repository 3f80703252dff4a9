"""One hour of one partition as it is being counted: the fold that makes its stored value from records."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from contract.log.action import Action
from contract.log.event_names import counted_as
from contract.windows.hash_set import HashSet
from contract.windows.hashes import NO_HASHES, Hashes, hash_of_id, unpack_hashes
from contract.windows.segment import Segment, cut_segments
from contract.windows.window_value import WindowValue

MANY_ACTIONS: Final = 10_000
"""This many actions are counted at once, or as many as there are at a flush: one by one takes several times as long."""


class Window:
    """A window in a worker's memory: a cache of the stored value, and what has come since.

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
        """All hashes, as segments to store up to `through_offset`; none while there may be some from beyond it.

        Right after a flush there are none from beyond it.
        """
        if self._new_users or self._new_ids:
            return []
        return cut_segments(self.through_offset, self._users.all(), self._ids.all(), self.value.generation, full=True)

    def refer_to_full(self, through_offset: int, instead_of: int) -> None:
        """From now on its values say that what came up to here lies in full segments: these must be acknowledged.

        `instead_of`: how many small segments there were up to here.
        """
        self.value = msgspec.structs.replace(self.value, full_through=through_offset)
        self.small_segments -= instead_of

    def _count(self) -> None:
        replayed, rising = self._replayed, self._rising
        self._replayed, self._rising = [], []
        self._remember(replayed)
        counted = self._remember(rising)
        self._duplicates += len(rising) - len(counted)
        # In the order in which each event first appeared.
        for event, number in Counter([action.event for action in counted]).items():
            name = counted_as(event, self._counts)
            self._counts[name] = self._counts.get(name, 0) + number

    def _remember(self, actions: list[Action]) -> list[Action]:
        """Remembers users and ids; returns the actions that are not duplicates."""
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
