"""One reading of the current hour for all who listen, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec

from aggregator.hours.cache import HourCache
from aggregator.hours.reader import Answer
from aggregator.http.representations import as_json
from aggregator.live.rate import ActionRate
from contract.errors import StateUnreadable, StoreError
from contract.hour import hour_of
from service.clock import Clock

EVERY: Final = 0.5
"""Seconds between readings."""
_SAID_AGAIN: Final = 20
"""After so many readings that failed, it is said again: so a connection that is dead is found out."""


class Event(NamedTuple):
    """What listeners are told."""

    number: int
    """Rises, over restarts too: about when it was made, ms since the epoch."""
    text: bytes
    """As it is sent."""


class LiveFeed:
    """Reads while anybody listens. A listener that is slow misses events, and gets the latest one."""

    def __init__(self, hours: HourCache, clock: Clock, every: float = EVERY) -> None:
        """`every`: seconds between readings."""
        self._hours = hours
        self._clock = clock
        self._every = every
        self._rate = ActionRate()
        self._latest: Event | None = None
        self._failures = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners = 0
        self._closed = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Within, events come."""
        self._listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._task.cancel()
                # What was told last is old when somebody listens again.
                self._task = self._latest = None

    async def after(self, number: int | None) -> Event | None:
        """The latest event, once it is another than `number`; None when there will be none any more."""
        while not self._closed and (self._latest is None or self._latest.number == number):
            await self._changed.wait()
        return None if self._closed else self._latest

    def close(self) -> None:
        """Nobody is told anything any more."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _run(self) -> None:
        while True:
            now = self._clock()
            try:
                answer = await self._hours.read(hour_of(now))
            except (StoreError, StateUnreadable):
                if self._failures % _SAID_AGAIN == 0:
                    self._tell("unavailable", {"detail": "the store does not answer"})
                self._failures += 1
            else:
                self._failures = 0
                self._tell("hour", self._told(answer, now))
            await asyncio.sleep(self._every)

    def _told(self, answer: Answer, now: int) -> dict[str, object]:
        actions = sum(answer.totals.counts.values())
        instant = answer.completeness.complete_through or now
        rate = self._rate.per_second(answer.hour, instant, actions)
        return {
            **as_json(answer).model_dump(),
            "timestamp": answer.hour,
            "actions": actions,
            "actions_per_second": round(rate, 1),
        }

    def _tell(self, kind: str, data: dict[str, object]) -> None:
        number = max(self._clock(), self._latest.number + 1 if self._latest else 0)
        text = b"event: %b\nid: %d\ndata: %b\n\n" % (kind.encode(), number, msgspec.json.encode(data))
        self._latest = Event(number, text)
        self._wake()
