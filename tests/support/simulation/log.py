"""Logs that grow and are created again, and an oracle that counts them apart from the product's fold."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from contract.hour import HOUR_MS
from contract.log.action import Action, encode_action
from contract.log.progress import LogPartition
from contract.log.rebuild import Rebuild
from contract.log.record import Record
from support.simulation.hostile_store import Turn

_TURNS_UNTIL_AN_ANSWER: Final = 6


class Numbers(NamedTuple):
    """What a partition's log up to an offset gives for an hour."""

    counts: dict[str, int]
    duplicates: int
    users: frozenset[str]


class Damage:
    """Which hours are wrong by a fault from outside, and which rebuilds began after it."""

    def __init__(self) -> None:
        self._wrong: set[tuple[int, int]] = set()
        self._heals: dict[int, set[tuple[int, int]]] = {}
        """By generation: what it heals, if the log has its record."""

    def begin_rebuild(self, generation: int, partition: int, hours: Iterable[int]) -> None:
        self._heals.setdefault(generation, set()).update((partition, hour) for hour in hours)

    def happen(self, partition: int, hour: int) -> None:
        self._wrong.add((partition, hour))
        for healed in self._heals.values():
            healed.discard((partition, hour))

    def shows(self, partition: int, hour: int, rebuilds: Sequence[Rebuild]) -> bool:
        """Whether the hour is wrong where the log has these rebuilds of it, in order."""
        if not rebuilds:
            return (partition, hour) in self._wrong
        return (partition, hour) not in self._heals[rebuilds[-1].generation]


class Transaction:
    """What a producer appended in one, and has neither committed nor aborted yet."""

    def __init__(self) -> None:
        self.appended: list[tuple[int, int, Sequence[Action]]] = []
        """Partition, offset and actions of each record."""


class SimulatedLog:
    """One log: its partitions only grow, in number and in length."""

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.records: list[list[Record]] = [[] for _ in range(partitions)]
        self._actions: list[list[list[Action] | None]] = [[] for _ in range(partitions)]
        self._hidden: list[set[int]] = [set() for _ in range(partitions)]
        """Offsets of markers, and of records whose transaction was aborted."""
        self._authorized: dict[tuple[int, str], Rebuild] = {}
        """By partition and id: rebuilds whose manifest was acknowledged before any record could name it."""
        self.open: list[Transaction] = []
        self.damage = Damage()
        self.numbers = cache(self._numbers)
        """What the partition up to and including an offset gives for an hour."""

    @property
    def partitions(self) -> int:
        return len(self.records)

    def grow(self) -> None:
        self.records.append([])
        self._actions.append([])
        self._hidden.append(set())

    def append(self, partition: int, actions: Sequence[Action], made_for: int, now: int) -> None:
        """A record as a producer makes it that takes the topic to have `made_for` partitions; 0: it does not say."""
        value = b"\n".join(map(encode_action, actions)) or b"poison"
        self._actions[partition].append(list(actions))
        mine = self.records[partition]
        mine.append(Record(partition, len(mine), now, value, made_for))

    def append_to(
        self, transaction: Transaction, partition: int, actions: Sequence[Action], made_for: int, now: int
    ) -> None:
        """A record that counts once the transaction is committed."""
        self.append(partition, actions, made_for, now)
        self._actions[partition][-1] = None
        transaction.appended.append((partition, self.end(partition) - 1, actions))

    def decide(self, transaction: Transaction, now: int, *, commits: bool) -> None:
        """The transaction ends; each of its partitions gets a marker."""
        self.open.remove(transaction)
        for partition, offset, actions in transaction.appended:
            if commits:
                self._actions[partition][offset] = list(actions)
            else:
                self._hidden[partition].add(offset)
        for partition in sorted({partition for partition, _, _ in transaction.appended}):
            self.append(partition, [], 0, now)
            self._actions[partition][-1] = None
            self._hidden[partition].add(self.end(partition) - 1)
        self.numbers.cache_clear()

    def append_rebuild(self, partition: int, rebuild: Rebuild, manifest_id: str, now: int) -> None:
        """What says that it is a rebuild; anyone may append it."""
        mine = self.records[partition]
        record = Record(partition, len(mine), now, rebuild.encode(), 0, is_rebuild=True, manifest=manifest_id)
        # What cannot be one, as the log alone shows, is one rejected line.
        self._actions[partition].append([] if rebuild.through_offset >= record.offset else None)
        mine.append(record)

    def authorize(self, partition: int, rebuild: Rebuild, manifest_id: str) -> None:
        """From now on a record of it may come."""
        self._authorized[partition, manifest_id] = rebuild

    def is_authorized(self, manifest_id: str) -> bool:
        return any(name == manifest_id for _, name in self._authorized)

    def rebuilds_in_effect(self, partition: int, through_offset: int) -> list[Rebuild]:
        """Those that took place, by what is known of them apart from the store; each once, and no older one later."""
        found, last = [], -1
        for record in self.records[partition][: through_offset + 1]:
            real = self._authorized.get((partition, record.manifest)) if record.is_rebuild else None
            if real is not None and record.value == real.encode() and last <= real.through_offset < record.offset:
                found.append(real)
                last = record.offset
        return found

    def takes_effect(self, partition: int, offset: int) -> bool:
        """Whether the record at `offset` is that of a rebuild which took place."""
        return self.rebuilds_in_effect(partition, offset) != self.rebuilds_in_effect(partition, offset - 1)

    def is_damaged(self, partition: int, hour: int, through_offset: int) -> bool:
        """Whether a fault from outside made the hour wrong, and no rebuild up to an offset has healed it since."""
        covering = [rebuild for rebuild in self.rebuilds_in_effect(partition, through_offset) if rebuild.covers(hour)]
        return self.damage.shows(partition, hour, covering)

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""
        return len(self.records[partition])

    def stable_end(self, partition: int) -> int:
        """Where the first open transaction begins, or the partition ends."""
        undecided = (offset for one in self.open for place, offset, _ in one.appended if place == partition)
        return min(undecided, default=self.end(partition))

    def given(self, partition: int, first: int, end: int) -> list[Record]:
        """What a reader of committed records gets from offset `first` up to, not including, `end`."""
        records = self.records[partition][first : min(end, self.stable_end(partition))]
        return [record for record in records if record.offset not in self._hidden[partition]]

    def lines(self, partition: int, through_offset: int) -> list[Action | None]:
        """The lines up to and including an offset, in order; None: rejected."""
        records = self._actions[partition][: through_offset + 1]
        return [line for actions in records if actions is not None for line in actions or [None]]

    def has_nothing_of(self, hour: int, partition: int, after: int, through_offset: int) -> bool:
        return not _numbers_of(self._actions[partition][after + 1 : through_offset + 1], hour).counts

    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        """The log, as a worker that reads it again sees it."""
        for record in self.given(source.partition, first, end):
            yield record

    async def is_empty(self, source: LogPartition, first: int, end: int) -> bool:
        """As the log is when it is asked; the answer takes a while."""
        partition = source.partition
        await Turn()
        answer = end <= self.stable_end(partition) and not self.given(partition, first, end)
        for _ in range(_TURNS_UNTIL_AN_ANSWER):
            await Turn()
        return answer

    def sources(self) -> list[LogPartition]:
        return [LogPartition(self.name, partition) for partition in range(self.partitions)]

    def _numbers(self, partition: int, through_offset: int, hour: int) -> Numbers:
        return _numbers_of(self._actions[partition][: through_offset + 1], hour)


def _numbers_of(records: Iterable[list[Action] | None], hour: int) -> Numbers:
    counts: dict[str, int] = {}
    duplicates, users, ids = 0, set(), set()
    for action in (action for actions in records for action in actions or ()):
        if not hour <= action.timestamp < hour + HOUR_MS:
            continue
        if action.id is not None and (action.user, action.id) in ids:
            duplicates += 1
            continue
        ids.add((action.user, action.id))
        users.add(action.user)
        counts[action.event] = counts.get(action.event, 0) + 1
    return Numbers(counts, duplicates, frozenset(users))
