"""Reading a span of hours, a day at a time: so memory stays flat, and readings are too short to be repeated often."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.hours.completeness import Completeness
from aggregator.hours.reader import Answer, HourReader
from contract.hour import HOUR_MS

_HOURS: Final = 24
"""Read at once: workers commit twice a second, but in the few ms of a reading their progress mostly stands still."""
_AT_A_TIME: Final = 2
"""Readings in progress, whoever asked for them: those of the current hour use the same connections."""


@dataclass(frozen=True, slots=True)
class Span:
    """Hours in order, and what holds for all of them."""

    answers: Sequence[Answer]
    completeness: Completeness
    """Of the whole: the earliest `complete_through` and the largest lag of its readings; final if all hours are."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Actions by event."""
        counts: Counter[str] = Counter()
        for answer in self.answers:
            counts.update(answer.totals.counts)
        return counts

    @property
    def duplicates(self) -> int:
        """Lines not counted: their (user, id) was counted in their hour before."""
        return sum(answer.totals.duplicates for answer in self.answers)


def answers_of(span: Span) -> Sequence[Answer]:
    """Its hours' answers."""
    return span.answers


class RangeReader:
    """Answers for spans of hours."""

    def __init__(self, hours: HourReader) -> None:
        self._hours = hours
        self._turn = asyncio.Semaphore(_AT_A_TIME)

    async def read(self, first: int, end: int) -> Span:
        """The hours from `first` up to, not including, `end`, ms since the epoch. Raises as HourReader.read does."""
        answers: list[Answer] = []
        for hours in _portions(range(first, end, HOUR_MS)):
            async with self._turn:
                answers += await self._hours.read_hours(hours)
        return Span(answers, weakest([answer.completeness for answer in answers]))


def _portions(hours: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(hours), _HOURS):
        yield hours[start : start + _HOURS]


def weakest(all_of_them: Sequence[Completeness]) -> Completeness:
    """What holds for all of them: the earliest `complete_through`, the largest lag; final if all are."""
    through = [one.complete_through for one in all_of_them if one.complete_through is not None]
    lags = [one.lag for one in all_of_them if one.lag is not None]
    known = len(through) == len(all_of_them)
    return Completeness(
        complete_through=min(through) if known else None,
        lag=max(lags) if len(lags) == len(all_of_them) else None,
        final=all(one.final for one in all_of_them),
    )
