"""Runs: a partition's actions of one hour that follow on one another, packed into one value of a bounded size."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from contract.action import Action
from contract.hour import HOUR_MS, hour_of
from contract.progress import LogPartition
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
        for hour, numbered in _by_hour(first_line, lines).items():
            if hour >= oldest:
                yield from _cut(source, hour, *numbered)


def _by_hour(first_line: int, lines: Sequence[Action | None]) -> dict[int, _Numbered]:
    actions = [action for action in lines if action is not None]
    if not actions:
        return {}
    timestamps = [action.timestamp for action in actions]
    hour = hour_of(min(timestamps))
    numbers: Sequence[int] = range(first_line, first_line + len(lines))
    if len(actions) < len(lines):
        numbers = [number for number, action in enumerate(lines, first_line) if action is not None]
    if max(timestamps) < hour + HOUR_MS:
        return {hour: _Numbered(numbers, actions)}
    return _dealt(numbers, actions)


def _dealt(numbers: Sequence[int], actions: Sequence[Action]) -> dict[int, _Numbered]:
    by_hour: dict[int, tuple[list[int], list[Action]]] = {}
    for number, action in zip(numbers, actions, strict=True):
        of_hour = by_hour.setdefault(hour_of(action.timestamp), ([], []))
        of_hour[0].append(number)
        of_hour[1].append(action)
    return {hour: _Numbered(*of_hour) for hour, of_hour in by_hour.items()}


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
