"""Answers that count what a producer was told to be in the log."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from aggregator.end_offsets.cache import EndOffsetsCache
from aggregator.end_offsets.port import LogEndOffsets
from aggregator.hours.reader import Answer
from aggregator.positions.watch import ProgressWatch
from contract.errors import CollectorError
from contract.log.position import Position

T = TypeVar("T")


class NeverCounted(CollectorError):
    """A position that is not in the log: no worker will ever count it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What shall be counted, and how many seconds that is waited for."""

    position: Position
    seconds: float


class CountingReader:
    """Reads again until an answer counts a position. Only the answer's own progress says that it does."""

    def __init__(self, watch: ProgressWatch, end_offsets: EndOffsetsCache) -> None:
        self._watch = watch
        self._end_offsets = end_offsets

    async def read(
        self, wait: Wait, read: Callable[[], Awaitable[T]], answers_in: Callable[[T], Iterable[Answer]]
    ) -> tuple[T, bool]:
        """What `read` gave last, and whether all of `answers_in` it count the position.

        Raises NeverCounted, and what `read` raises.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait.seconds
        found = await read()
        if self._counts(wait.position, answers_in(found)):
            return found, True
        await self._require_in_log(wait.position)
        while await self._watch.until_counted(wait.position, ends_at - loop.time()):
            # One that somebody else had begun before may still not count it.
            found = await read()
            if self._counts(wait.position, answers_in(found)):
                return found, True
        return found, False

    def _counts(self, position: Position, answers: Iterable[Answer]) -> bool:
        return all(position.is_counted(answer.progress) for answer in answers)

    async def _require_in_log(self, position: Position) -> None:
        latest = await self._end_offsets.latest()
        if latest is not None and _missing_in(latest.ends, position):
            latest = await self._end_offsets.refresh()
        # While Kafka is away nothing is known.
        if latest is not None and (missing := _missing_in(latest.ends, position)):
            raise NeverCounted(missing)


def _missing_in(ends: LogEndOffsets, position: Position) -> str | None:
    if position.log != ends.log:
        return "it is of a log that is not the topic's any more: what was not counted by then never will be"
    if any(offset >= ends.by_partition.get(partition, 0) for partition, offset in position.offsets.items()):
        return "it lies beyond the log's end: no such record is there"
    return None
