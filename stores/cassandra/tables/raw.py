"""Raw actions in Cassandra: runs of lines, each packed into one value."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from contract.action import Action
from contract.progress import LogPartition
from contract.store import RawActions
from stores.cassandra import queries
from stores.cassandra.driver.mutations import Mutation
from stores.cassandra.settings import CassandraSettings

LAP: Final = 1_000_000
"""Lines that share a partition of Cassandra."""

RUN: Final = 5_000
"""Lines in a run at most: about half a MB."""

Packed = tuple[int, str, str, str | None] | None
"""A line: timestamp, user, event, id. None stands for a rejected line, and for one too old to be stored."""


class RawRuns:
    """The table `actions`."""

    def __init__(self, settings: CassandraSettings) -> None:
        self._age = settings.raw_age_ms
        self._seconds_kept = int(settings.raw_retention.total_seconds())

    def mutations(self, batches: Iterable[RawActions], now: int) -> Iterator[Mutation]:
        """What to write of some lines, `now` being in ms: those that are old enough to expire soon are left out."""
        for source, first_line, lines in _joined(batches):
            for first, run in _runs(first_line, lines):
                packed = [_packed(action, now - self._age) for action in run]
                if any(packed):
                    row = (*source, first // LAP, first, len(run), msgspec.msgpack.encode(packed), self._seconds_kept)
                    yield Mutation(queries.PUT_ACTIONS, [row])


def unpacked(packed: bytes) -> list[Action | None]:
    """The lines of a run."""
    lines = msgspec.msgpack.decode(packed, type=list[Packed])
    return [None if line is None else Action(*line) for line in lines]


def _packed(action: Action | None, oldest: int) -> Packed:
    if action is None or action.timestamp < oldest:
        return None
    return action.timestamp, action.user, action.event, action.id


def _joined(batches: Iterable[RawActions]) -> Iterator[tuple[LogPartition, int, Sequence[Action | None]]]:
    """Batches that follow on one another as one."""
    for _, run in groupby(_numbered(batches), key=lambda one: one[0]):
        some = [batch for _, batch in run]
        yield some[0].source, some[0].first_line, [line for batch in some for line in batch.lines]


def _numbered(batches: Iterable[RawActions]) -> Iterator[tuple[int, RawActions]]:
    """Batches with a number that they share with the one that they follow on."""
    number, expected = 0, None
    for batch in batches:
        number += (batch.source, batch.first_line) != expected
        expected = (batch.source, batch.first_line + len(batch.lines))
        yield number, batch


def _runs(first_line: int, lines: Sequence[Action | None]) -> Iterator[tuple[int, Sequence[Action | None]]]:
    """`lines` cut where a lap ends, and so that a run is not too long, each with its first line's number."""
    start = 0
    while start < len(lines):
        first = first_line + start
        length = min(RUN, LAP - first % LAP)
        yield first, lines[start : start + length]
        start += length
