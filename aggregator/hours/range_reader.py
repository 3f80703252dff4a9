"""Reading a span of hours, many at a time, but not for long: others use the same connections."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from aggregator.hours.completeness import Completeness
from aggregator.hours.reader import Answer, HourReader
from contract.errors import StoreError
from contract.hour import HOUR_MS

FEWEST: Final = 24
MOST: Final = 31 * 24
"""Hours that are read at once. Under load each reading takes 100 ms, mostly waiting: day by day a month took 3 s."""
_FIRST: Final = 96
SOON: Final = 0.1
LATE: Final = 0.2
"""Seconds. Workers commit twice a second, and an hour in which they did so meanwhile may have to be read again."""
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
    """Answers for spans of hours. How many it reads at once follows from how long that takes here."""

    def __init__(self, hours: HourReader, timer: Callable[[], float] = perf_counter) -> None:
        """`timer` in seconds, from any start."""
        self._hours = hours
        self._timer = timer
        self._turn = asyncio.Semaphore(_AT_A_TIME)
        self._at_once = _FIRST

    async def read(self, first: int, end: int) -> Span:
        """The hours from `first` up to, not including, `end`, ms since the epoch. Raises as HourReader.read does."""
        answers: list[Answer] = []
        hours = range(first, end, HOUR_MS)
        while len(answers) < len(hours):
            async with self._turn:
                answers += await self._read(hours[len(answers) : len(answers) + self._at_once])
        return Span(answers, weakest([answer.completeness for answer in answers]))

    async def _read(self, hours: Sequence[int]) -> list[Answer]:
        began = self._timer()
        try:
            answers = await self._hours.read_hours(hours)
        except StoreError:
            self._at_once = FEWEST
            raise
        seconds = self._timer() - began
        if seconds > LATE:
            self._at_once = max(FEWEST, self._at_once // 2)
        elif seconds < SOON and len(hours) >= self._at_once:
            self._at_once = min(MOST, self._at_once * 2)
        return answers


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
