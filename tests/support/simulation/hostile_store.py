"""MemoryStore at its worst: writes arrive late, after newer ones, in part, twice; answers get lost; a crash forgets.

Every call gives the scheduler a turn before each point, so that anything may happen in between.
"""

import random
from collections.abc import Generator, Sequence
from typing import Any

from contract.errors import StoreUnavailable
from contract.hour import hour_of
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Rebuild
from contract.store import ManifestPoint, ProgressPoint, RawActions, SegmentPoint, WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore, key_of


class Turn:
    """Awaiting it hands control to the scheduler once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class HostileStore(MemoryStore):
    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.hostile = True
        # So likely is each of three troubles; where it is high, hardly a flush of many points is ever acknowledged.
        self._trouble = rng.choice([0.015, 0.05])
        self.changes = 0
        """How often something that a reader may see has changed."""
        self.unanswered = 0
        """How many writes of single points had an outcome that nobody knows."""
        self._rng = rng
        self._late: list[tuple[dict[Any, Any], Any, Any]] = []
        self._volatile: list[tuple[dict[Any, Any], Any, Any, Any]] = []

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        await self._put_all(
            (self.actions, (source, number), action)
            for source, first_line, lines in batches
            for number, action in enumerate(lines, first_line)
            if action is not None
        )

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        puts: list[tuple[dict[Any, Any], Any, Any]] = [
            (self.segments, (source, hour, key_of(segment)), segment) for source, hour, segment in segments
        ]
        puts += [(self.windows, (source, hour, slot), value) for source, hour, slot, value in windows]
        self._rng.shuffle(puts)
        await self._put_all(puts)

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        await self._put_all(
            (self.progress, (source, hour_of(max(value.watermark, 0)), slot), value) for source, slot, value in points
        )

    async def write_manifests(self, points: Sequence[ManifestPoint]) -> None:
        await self._put_all((self.manifests, (source, manifest.id), manifest.rebuild) for source, manifest in points)

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        """Away at times, as for any question; of this one it matters what is made of it."""
        await Turn()
        if self.hostile and self._rng.random() < 0.3:
            raise StoreUnavailable("no answer")
        return await super().read_manifests(source)

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        await Turn()
        return await super().read_progress(source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        """No snapshot: some points are read first, the others later."""
        await Turn()
        found = await super().read_windows_between(first, end, source)
        at_first = self._rng.sample(found, self._rng.randint(0, len(found)))
        for _ in range(self._rng.choice((0, 4)) if self.hostile else 0):
            await Turn()
        read = {(point.source, point.hour, point.slot) for point in at_first}
        later = await super().read_windows_between(first, end, source)
        return at_first + [point for point in later if (point.source, point.hour, point.slot) not in read]

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        await Turn()
        return await super().read_segments(hour, source, window)

    async def _put_all(self, puts: Any) -> None:
        certain = True
        for table, key, value in puts:
            await Turn()
            answered = self._put(table, key, value)
            self.unanswered += not answered
            certain &= answered
        if not certain:
            raise StoreUnavailable("the answer was lost")

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> bool:
        """Whether the write is acknowledged; else its outcome is unknown."""
        fate = self._rng.random() if self.hostile else 1
        if fate < self._trouble:
            self._late.append((table, key, value))
            return False
        old = table.get(key)
        table[key] = value
        self.changes += 1
        if fate < 2 * self._trouble:
            self._volatile.append((table, key, value, old))
            return False
        if fate < 3 * self._trouble:
            return False
        self._volatile = [put for put in self._volatile if put[0] is not table or put[1] != key]
        return True

    def deliver_late(self) -> None:
        if self._late:
            table, key, value = self._late.pop(self._rng.randrange(len(self._late)))
            table[key] = value
            self.changes += 1

    def deliver_all(self) -> None:
        while self._late:
            self.deliver_late()

    def crash(self) -> None:
        for table, key, value, old in reversed(self._volatile):
            if table.get(key) is value and self._rng.random() < 0.7:
                if old is None:
                    del table[key]
                else:
                    table[key] = old
        self.changes += bool(self._volatile)
        self._volatile.clear()
