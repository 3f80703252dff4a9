"""The current hours' answers, in memory: most readers ask for these, and then nobody waits for a query."""

import asyncio
from datetime import timedelta
from typing import Final

from aggregator.hours.reader import Answer, HourReader
from aggregator.hours.unique_users import HourUsers
from aggregator.settings import AggregatorSettings
from contract.hour import HOUR_MS, hour_of
from service.clock import Clock

_ASKED_FOR: Final = timedelta(minutes=1)
"""An hour that nobody asks for, for this long, is dropped: its users may take much memory."""


class HourCache:
    """Holds the clock's hour and the one before, where actions still come in late, while somebody asks for them.

    All others are read each time: there may be many, and few ask for them. So what is cached is little, and needs no
    bound of its own.
    """

    def __init__(self, reader: HourReader, clock: Clock, settings: AggregatorSettings) -> None:
        self._reader = reader
        self._clock = clock
        self._settings = settings
        self._hours: dict[int, CachedHour] = {}
        self.hits = 0
        """Answers from memory."""
        self.misses = 0
        """Answers for an hour that is held here for which somebody waited."""

    async def read(self, hour: int, *, fresh: bool = False) -> Answer:
        """The answer for the hour that starts at `hour` (ms since the epoch).

        One from memory is younger than `aggregator_max_age`, and says like any other what it is complete through.
        `fresh`: it is read after this call. Raises StoreUnavailable and StateUnreadable.
        """
        now = self._clock()
        cached_hour = self._cached_hour(hour, now)
        if cached_hour is None:
            return await self._reader.read(hour)
        answer = None if fresh else cached_hour.cached(now)
        if answer is not None:
            self.hits += 1
            return answer
        self.misses += 1
        return await cached_hour.read(now, fresh=fresh)

    def cached(self, hour: int) -> Answer | None:
        """What `read` would answer from memory; None where it would have to wait."""
        now = self._clock()
        cached_hour = self._cached_hour(hour, now)
        answer = None if cached_hour is None else cached_hour.cached(now)
        self.hits += answer is not None
        return answer

    async def close(self) -> None:
        """Ends the readings under way."""
        await asyncio.gather(*(cached_hour.close() for cached_hour in self._hours.values()))

    def _cached_hour(self, hour: int, now: int) -> "CachedHour | None":
        """None for an hour that is not cached."""
        for other, cached_hour in list(self._hours.items()):
            if not _within(cached_hour.asked_at, now, _ASKED_FOR):
                del self._hours[other]
        if not hour_of(now) - HOUR_MS <= hour <= now:
            return None
        if hour not in self._hours:
            self._hours[hour] = CachedHour(hour, self._reader, self._clock, self._settings)
        return self._hours[hour]


class CachedHour:
    """An hour's latest answer, and the one reading at a time that follows on it: so no number ever goes back.

    An answer is renewed when somebody asks and it is no longer young, so nobody reads while nobody asks. It is given
    while a renewal is under way; but one that is too old, because the store is slow, failing or was long not asked, is
    not: then readers wait, and are told what the store says.
    """

    def __init__(self, hour: int, reader: HourReader, clock: Clock, settings: AggregatorSettings) -> None:
        self._hour = hour
        self._reader = reader
        self._clock = clock
        self._young = settings.aggregator_renewal
        self._longest = settings.aggregator_max_age
        self._users = HourUsers()
        self._answer: Answer | None = None
        self._read_at = 0
        self._reading: asyncio.Task[Answer] | None = None
        self.asked_at = clock()
        """When it was last asked for, ms since the epoch."""

    async def read(self, now: int, *, fresh: bool) -> Answer:
        """As HourCache.read, where `cached` has no answer."""
        return await self._read_fresh(now) if fresh else await asyncio.shield(self._read_on())

    def cached(self, now: int) -> Answer | None:
        """As HourCache.cached."""
        self.asked_at = now
        if self._answer is None or not _within(self._read_at, now, self._longest):
            return None
        if not _within(self._read_at, now, self._young):
            self._read_on()
        return self._answer

    async def close(self) -> None:
        """Ends a reading under way."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read_fresh(self, now: int) -> Answer:
        self.asked_at = now
        if self._reading is not None:
            # It began before it was asked for.
            await asyncio.wait([self._reading])
        return await asyncio.shield(self._read_on())

    def _read_on(self) -> "asyncio.Task[Answer]":
        """The reading under way, or one that begins now."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._ended)
        return self._reading

    async def _read(self) -> Answer:
        read_at = self._clock()
        answer = await self._reader.read_once(self._hour, self._users)
        self._answer, self._read_at = answer, read_at
        return answer

    def _ended(self, reading: "asyncio.Task[Answer]") -> None:
        self._reading = None
        if not reading.cancelled():
            # Its reader has counted the error; those who wait are told it, and there may be none.
            reading.exception()


def _within(instant: int, now: int, span: timedelta) -> bool:
    # A clock that was set back makes `instant` lie ahead: then it is worth nothing.
    return timedelta(0) <= timedelta(milliseconds=now - instant) < span
