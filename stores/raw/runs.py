"""Runs: a partition's actions of one hour that follow on one another, packed into one value of a bounded size."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.store import RawActions
from stores.raw.packing import pack

MAX_ACTIONS: Final = 2_500
"""Actions in a run: 20 to 45 KB of them. With four times as many they compress no better."""

MAX_BYTES: Final = 48_000
"""Bytes in a run: as base64 64,000, below the 64 KiB that InfluxDB allows a text field."""


class Run(NamedTuple):
    """The first `length` actions of an hour, from the line numbered `first_line` on.

    What it holds is a function of the log, the partition, the hour, `first_line` and `length`. So these are its key in
    each store: whoever writes a run, however late, replaces nothing but the same, and a shorter run never a longer one.
    """

    source: LogPartition
    hour: int
    first_line: int
    length: int
    packed: bytes


class _Numbered(NamedTuple):
    numbers: Sequence[int]
    actions: Sequence[Action]


def runs_of(batches: Iterable[RawActions], oldest: int) -> Iterator[Run]:
    """The batches' actions, but for hours that began before `oldest` (ms since the epoch).

    An hour is stored as a whole or not at all: which of its actions a run holds must not depend on the clock.
    """
    for source, first_line, lines in batches:
        for hour, numbered in _by_hour(first_line, lines):
            if hour >= oldest:
                yield from _cut(source, hour, *numbered)


async def runs_off_loop(batches: Iterable[RawActions], oldest: int) -> list[Run]:
    """As runs_of, in a thread: packing 75,000 actions takes some 40 ms, for which nothing else would be answered."""
    return await asyncio.to_thread(lambda: list(runs_of(batches, oldest)))


def _by_hour(first_line: int, lines: Sequence[Action | None]) -> Iterator[tuple[int, _Numbered]]:
    """The actions of each hour, in the order of the lines."""
    actions = [action for action in lines if action is not None]
    if not actions:
        return
    numbers = np.arange(first_line, first_line + len(lines))
    if len(actions) < len(lines):
        numbers = numbers[[action is not None for action in lines]]
    hours = np.array([action.timestamp for action in actions]) // HOUR_MS
    # Sorted as a whole: to look each line's hour up took twice as long.
    order = hours.argsort(kind="stable")
    ends = (np.flatnonzero(np.diff(hours[order])) + 1).tolist()
    for begin, end in pairwise([0, *ends, len(actions)]):
        of_hour = order[begin:end]
        hour = int(hours[of_hour[0]]) * HOUR_MS
        yield hour, _Numbered(numbers[of_hour].tolist(), [actions[at] for at in of_hour.tolist()])


def _cut(source: LogPartition, hour: int, numbers: Sequence[int], actions: Sequence[Action]) -> Iterator[Run]:
    """The actions in runs; one whose packed form is too large, as of long users that resemble nothing, in halves."""
    for start in range(0, len(actions), MAX_ACTIONS):
        some = slice(start, start + MAX_ACTIONS)
        yield from _bounded(source, hour, numbers[some], actions[some])


def _bounded(source: LogPartition, hour: int, numbers: Sequence[int], actions: Sequence[Action]) -> Iterator[Run]:
    packed = pack(numbers, actions)
    if len(packed) <= MAX_BYTES:
        yield Run(source, hour, numbers[0], len(actions), packed)
        return
    middle = len(actions) // 2
    yield from _bounded(source, hour, numbers[:middle], actions[:middle])
    yield from _bounded(source, hour, numbers[middle:], actions[middle:])
