"""Rounds of comparing what stands in `hours` with what should, and of writing what differs.

tests/model/rollup.py is a model of it. Nothing keeps a stalled process from writing an old value over a newer one: so
whatever stands is compared, whoever wrote it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from aggregator.hours.reader import HourReader
from aggregator.rollup.fields import repair
from aggregator.rollup.known import KnownHours
from aggregator.rollup.users import RememberedUsers
from contract.hour import END_OF_TIME_MS, HOUR_MS, hour_of
from contract.log.event_names import BUSINESS_EVENTS
from contract.windows.rollup import Fields, Mark, RollupStore
from service.clock import Clock

WIDE: Final = 3
"""Each so many rounds all recent hours are compared; in the others the last day's: a month's marks cost the store."""
_NARROW: Final = 24 * HOUR_MS
_LOOKED_UP: Final = 48
"""Hours that a round looks up because they may have changed: so many are read in some 10 ms."""
_SWEPT: Final = 72
"""Hours that a wide round looks up in turn."""
_MS: Final = timedelta(milliseconds=1)


class Pace(NamedTuple):
    """How much is looked at, how often a point is written that only its time would change, and what it holds."""

    recent: timedelta
    """How far back hours are compared in each round."""
    renewal: timedelta
    margin: timedelta
    """By how much clocks may differ."""
    events: tuple[str, ...] = BUSINESS_EVENTS
    """Those that have fields of their own."""


class Keeper:
    """Keeps the points right. Any number may run at a time; each repairs what any of them wrote."""

    def __init__(self, store: RollupStore, reader: HourReader, clock: Clock, pace: Pace) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock
        self._pace = pace
        self._known = KnownHours(pace.margin, pace.events)
        self._users = RememberedUsers(clock)
        self._round = 0
        self._sweep_from = 0
        self.sweeps = 0
        """How often all hours were looked up, whatever is known of them."""

    async def round(self) -> int:
        """Compares the last day, or all recent hours and some of the others; returns how many points were written.

        What stands and the marks are read before the windows, in this order. Raises as the store does.
        """
        is_wide = self._round % WIDE == 0
        self._round += 1
        now = self._clock()
        recent = hour_of(now - self._pace.recent // _MS)
        self._known.keep(recent)
        written = await self._compare(recent if is_wide else max(recent, hour_of(now) - _NARROW))
        return written + (await self._sweep(recent) if is_wide else 0)

    async def _compare(self, first: int) -> int:
        """Hours from `first` on: those that may have changed are looked up, all are compared."""
        stands = await self._store.read_points(first, END_OF_TIME_MS)
        marks = await self._store.read_marks(first, END_OF_TIME_MS)
        # Whatever the marks hold was in the log by now.
        now = self._clock()
        should = self._known.fields(first)
        should |= await self._look_up(self._known.due(marks, now, _LOOKED_UP), marks, now)
        return await self._write(should, stands)

    async def _look_up(self, hours: list[int], marks: Mapping[int, Mark], now: int) -> dict[int, Fields]:
        if not hours:
            return {}
        answers = await self._reader.read_hours(hours, self._users)
        return {answer.hour: self._known.learn(answer, marks.get(answer.hour), now, self._round) for answer in answers}

    async def _sweep(self, recent: int) -> int:
        """One portion, from the first hour to the last, and again: what no mark tells is found in this way."""
        first = await self._store.next_hour(self._sweep_from)
        if first is None:
            self._sweep_from, self.sweeps = 0, self.sweeps + 1
            return 0
        self._sweep_from = end = first + _SWEPT * HOUR_MS
        stands = await self._store.read_points(first, end)
        marks = await self._store.read_marks(first, end)
        # Hours that nothing is stored for have no point, unless somebody wrote one.
        should = await self._look_up(sorted(marks.keys() | stands.keys()), marks, self._clock())
        self._known.keep(recent)
        return await self._write(should, stands)

    async def _write(self, should: Mapping[int, Fields], stands: Mapping[int, Fields]) -> int:
        repairs = {
            hour: fields
            for hour, wanted in should.items()
            if (fields := repair(hour, wanted, stands.get(hour, {}), self._pace.renewal)) is not None
        }
        if repairs:
            await self._store.write_points(repairs)
        return len(repairs)
