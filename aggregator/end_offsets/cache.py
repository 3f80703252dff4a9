"""One reading of the end offsets for all who ask at the same time."""

import asyncio
from datetime import timedelta
from typing import NamedTuple

from aggregator.end_offsets.port import EndOffsetsReader, LogEndOffsets
from aggregator.metrics import ReadingMetrics
from contract.errors import LogError
from service.clock import Clock


class EndOffsets(NamedTuple):
    """The log's ends, and the clock right before Kafka was asked for them: they belong together."""

    taken_at: int
    ends: LogEndOffsets


class CacheLimits(NamedTuple):
    """How old end offsets may be, how long reading them may take, and for how long a failure stands."""

    max_age: timedelta
    timeout: timedelta
    retry: timedelta


class EndOffsetsCache:
    """Reads the end offsets when it is asked and has none recent enough; whoever asks meanwhile waits for that reading.

    An answer made from end offsets says that it is complete through `taken_at`, so older ones make it more modest,
    never wrong. While Kafka is away only those who ask during an attempt wait, and no longer than `timeout`.
    """

    def __init__(self, reader: EndOffsetsReader, clock: Clock, metrics: ReadingMetrics, *, limits: CacheLimits) -> None:
        self._reader = reader
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._cached: EndOffsets | None = None
        self._failed_at: int | None = None
        self._attempt: asyncio.Task[EndOffsets | None] | None = None
        self.unavailable_reason: str | None = None
        """Why the last attempt failed; None if it did not."""

    async def latest(self) -> EndOffsets | None:
        """End offsets that are recent enough, or None: Kafka is away."""
        if self._cached is not None and self._within(self._cached.taken_at, self._limits.max_age):
            self._metrics.looks.labels("shared").inc()
            return self._cached
        if self._failed_at is not None and self._within(self._failed_at, self._limits.retry):
            self._metrics.looks.labels("away").inc()
            return None
        if self._attempt is None or self._attempt.done():
            self._attempt = asyncio.create_task(self._take())
        # One reader that hangs up must not end the reading of the others.
        return await asyncio.shield(self._attempt)

    async def refresh(self) -> EndOffsets | None:
        """End offsets whose reading began after this call, or None: Kafka is away."""
        if self._attempt is not None and not self._attempt.done():
            await asyncio.wait([self._attempt])
        self._cached = None
        return await self.latest()

    async def close(self) -> None:
        """Ends an attempt under way, and gives the reader's connections back."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])
        await self._reader.close()

    def _within(self, instant: int, span: timedelta) -> bool:
        # A clock that was set back makes `instant` lie ahead: then it is worth nothing.
        return timedelta(0) <= timedelta(milliseconds=self._clock() - instant) < span

    async def _take(self) -> EndOffsets | None:
        taken_at = self._clock()
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                self._cached = EndOffsets(taken_at, await self._reader.read())
        except (LogError, TimeoutError) as error:
            self._cached, self._failed_at = None, self._clock()
            no_answer = f"no answer within {self._limits.timeout.total_seconds()} s"
            self.unavailable_reason = str(error) or self._reader.refusal() or no_answer
            self._metrics.looks.labels("failed").inc()
            return None
        self._failed_at = self.unavailable_reason = None
        self._metrics.looks.labels("taken").inc()
        return self._cached
