"""What the worker's unit tests share: a store that fails and waits on demand, records, places, a clock."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count

from contract.action import Action, encode_action
from contract.errors import LogNotRetained, StoreUnavailable
from contract.hour import HOUR_MS
from contract.progress import LogPartition, Progress
from contract.record import Record
from contract.segment import Segment
from contract.store import ProgressPoint, RawActions, SegmentPoint, WindowPoint
from contract.window_value import WindowValue
from stores.memory import MemoryStore
from stream_workers.decoded import RejectedLine

LOG = "OldrkDJ2R4WmwCUXOqKyRw"
SOURCE = LogPartition(LOG, 0)
HOUR = 494_902 * HOUR_MS
AWAY = StoreUnavailable("the store is away", reason="test")


class PastLog:
    """Implements PastRecords: what the log holds."""

    def __init__(self, *records: Record) -> None:
        self.records = list(records)
        self.removed_below = 0

    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        if first < min(end, self.removed_below):
            raise LogNotRetained(f"{source}: {first} is gone")
        for one in self.records:
            if (source.partition, True) == (one.partition, first <= one.offset < end):
                yield one


class Journal:
    """Calls in the order in which they ended well; each kind can be told to fail, or to wait."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun: list[str] = []
        self.failures: dict[str, list[Exception]] = defaultdict(list)
        self._let: dict[str, asyncio.Event] = {}

    def hold(self, kind: str) -> None:
        """Calls of this kind wait."""
        self._let[kind] = asyncio.Event()

    def let(self, kind: str) -> None:
        """They go on."""
        self._let.pop(kind).set()

    async def begin(self, kind: str) -> None:
        self.begun.append(kind)
        if kind in self._let:
            await self._let[kind].wait()
        if self.failures[kind]:
            raise self.failures[kind].pop(0)

    def end(self, kind: str) -> None:
        self.done.append(kind)


class WatchedStore(MemoryStore):
    """MemoryStore with a journal. Results that it is told to fail are there all the same, progress is not."""

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__()
        self.journal = journal or Journal()

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        await super().write_actions(batches)
        await self._note("actions")

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        await super().write_windows(windows, segments)
        await self._note("windows" if windows else "segments")

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        await self.journal.begin("progress")
        await super().write_progress(points)
        self.journal.end("progress")

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        await self._note("read progress")
        return await super().read_progress(source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        await self._note("read windows")
        return await super().read_windows_between(first, end, source)

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        await self._note("read segments")
        return await super().read_segments(hour, source, window)

    async def _note(self, kind: str) -> None:
        await self.journal.begin(kind)
        self.journal.end(kind)

    def stored(self, source: LogPartition = SOURCE) -> Progress | None:
        """The highest progress, without a look at the journal."""
        found = [value for (key, _, _), value in self.progress.items() if key == source]
        return max(found, key=lambda value: value.through_offset, default=None)


class FakeSink:
    """Keeps rejected lines."""

    def __init__(self, journal: Journal) -> None:
        self.lines: list[RejectedLine] = []
        self._journal = journal

    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        await self._journal.begin("rejected")
        self.lines += lines
        self._journal.end("rejected")


class FakeIdentity:
    """The topic's id, as long as the journal is not told otherwise."""

    def __init__(self, journal: Journal) -> None:
        self.asked: list[str] = []
        self._journal = journal

    async def verify(self, log: str) -> None:
        self.asked.append(log)
        await self._journal.begin("verify")
        self._journal.end("verify")


def numbered_places() -> Callable[[], int]:
    """Draws 0, 1, 2, …: no place comes twice."""
    return count().__next__


async def no_pause(_seconds: float) -> None:
    """Injected instead of a sleep."""
    await asyncio.sleep(0)


def click(user: str, *, hour: int = HOUR, event: str = "click", action_id: str | None = None) -> Action:
    return Action(hour + HOUR_MS // 2, user, event, action_id)


def record(offset: int, *actions: Action, partition: int = 0) -> Record:
    """A record that was appended at `HOUR + offset` ms."""
    return record_of(offset, b"\n".join(map(encode_action, actions)) + b"\n", partition=partition)


def record_of(offset: int, value: bytes | None, *, partition: int = 0) -> Record:
    return Record(partition, offset, HOUR + offset, value, partitions=8)


async def quiet() -> None:
    """Returns once nothing can happen any more without time passing."""
    for _ in range(200):
        await asyncio.sleep(0)
