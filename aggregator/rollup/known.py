"""What was found out about hours, and which of them must be looked at again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aggregator.hours.reader import Answer
from aggregator.rollup.fields import FINAL, fields_of
from contract.hour import HOUR_MS, hour_of
from contract.windows.rollup import Fields, Mark

_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    """An hour's point as it should be, and when that was looked up."""

    fields: Fields
    mark: Mark | None
    """The hour's mark before it was looked up."""
    seen_at: int
    """By when that mark had first been seen, ms since the epoch."""
    settled: bool
    """All that had been stored when the mark was seen was committed by then."""
    round: int


class KnownHours:
    """The recent hours, by their start."""

    def __init__(self, margin: timedelta, events: Collection[str]) -> None:
        """`margin`: by how much clocks may differ; `events` have fields of their own."""
        self._events = events
        self._margin = margin / _MS
        self._known: dict[int, Known] = {}

    def keep(self, first: int) -> None:
        """Forgets the hours before `first`."""
        self._known = {hour: known for hour, known in self._known.items() if hour >= first}

    def learn(self, answer: Answer, mark: Mark | None, now: int, number: int) -> Fields:
        """The point for an answer that was read after `mark`, which was read before `now`, in round `number`.

        A value may be stored long before it is committed, and its commit changes no mark. What is settled does not
        change while its mark stands still: whatever had been stored is part of it.
        """
        before = self._known.get(answer.hour)
        seen_at = before.seen_at if before is not None and before.mark == mark else now
        through = answer.completeness.complete_through
        settled = through is not None and through > seen_at + self._margin
        fields = fields_of(answer, self._events)
        self._known[answer.hour] = Known(fields, mark, seen_at, settled, number)
        return fields

    def due(self, marks: Mapping[int, Mark], now: int, most: int) -> list[int]:
        """The hours to look up now, at most so many: the clock's and the one before, then who waits longest."""
        current = {hour_of(now), hour_of(now) - HOUR_MS}
        asked = [hour for hour, mark in marks.items() if self._is_due(hour, mark)]
        return sorted(asked, key=lambda hour: (hour not in current, self._round(hour), -hour))[:most]

    def fields(self, first: int) -> dict[int, Fields]:
        """The points as they should be, of the hours from `first` on."""
        return {hour: known.fields for hour, known in self._known.items() if hour >= first}

    def _is_due(self, hour: int, mark: Mark) -> bool:
        known = self._known.get(hour)
        return known is None or known.mark != mark or not known.settled or not known.fields.get(FINAL)

    def _round(self, hour: int) -> int:
        known = self._known.get(hour)
        return -1 if known is None else known.round
