"""A writer whose mailbox, store and commits are watched."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from worker_world import (
    HOUR,
    LOG,
    SOURCE,
    FakeIdentity,
    FakeSink,
    Journal,
    PastLog,
    WatchedStore,
    click,
    no_pause,
    numbered_places,
    quiet,
    record,
)

from contract.progress import LogPartition, Progress
from contract.record import Record
from contract.store import ProgressPoint, WindowPoint
from contract.window_value import WindowValue
from stream_workers.assignment import Assignment
from stream_workers.compaction import Compactor
from stream_workers.flush import Flusher
from stream_workers.flush_round import FlushRound
from stream_workers.folding import Folding
from stream_workers.received import Received
from stream_workers.retry import Retry
from stream_workers.together import together
from stream_workers.writer import Writer

GENERATION = 3
INTERVAL = 0.5
A_LONG_TIME = 100.0


class Mailbox:
    """A queue that can end, as an agent's does when it is cancelled."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Received | None] = asyncio.Queue()

    def put(self, *records: Record, generation: int = GENERATION) -> None:
        for one in records:
            self._queue.put_nowait(Received(generation, one))

    def end(self) -> None:
        self._queue.put_nowait(None)

    def empty(self) -> bool:
        return self._queue.empty()

    def __len__(self) -> int:
        return self._queue.qsize()

    def get_nowait(self) -> Received:
        return self._received(self._queue.get_nowait())

    async def get(self) -> Received:
        return self._received(await self._queue.get())

    @staticmethod
    def _received(received: Received | None) -> Received:
        if received is None:
            raise StopAsyncIteration
        return received


class Kit:
    """A writer whose surroundings are watched."""

    def __init__(self, flush_lines: int = 1_000, window_memory: int = 10**9) -> None:
        self.journal = Journal()
        self.store = WatchedStore(self.journal)
        self.sink = FakeSink(self.journal)
        self.mailbox = Mailbox()
        self.past = PastLog()
        self.committed: dict[int, int] = {}
        self.holes: set[tuple[int, int, int]] = set()
        retry = Retry(no_pause)
        flusher = Flusher(self.store, self.sink, FakeIdentity(self.journal), retry, together)
        assignment = Assignment(self.store, flusher, retry, numbered_places(), self.past)
        self.writer = Writer(
            assignment,
            Folding(assignment, self.store, retry, lambda *hole: hole in self.holes),
            FlushRound(assignment, flusher, Compactor(self.store, retry), self._commit, window_memory),
            flush_interval=INTERVAL,
            flush_lines=flush_lines,
        )

    async def _commit(self, offsets: Mapping[int, int]) -> None:
        await self.journal.begin("commit")
        self.committed |= offsets
        self.journal.end("commit")

    async def take(self, partition: int = 0, *, end: int = 1_000, beginning: int = 0) -> int:
        return await self.writer.take(LogPartition(LOG, partition), beginning, end, GENERATION)

    @asynccontextmanager
    async def running(self, *partitions: int) -> AsyncIterator["asyncio.Task[None]"]:
        """The writer at work on these partitions."""
        for partition in partitions:
            await self.take(partition)
        self.journal.done.clear()
        task = asyncio.create_task(self.writer.run(self.mailbox))
        await quiet()
        yield task
        task.cancel()
        await asyncio.wait({task})

    async def store_progress(self, progress: Progress, partition: int = 0) -> None:
        await self.store.write_progress([ProgressPoint(LogPartition(LOG, partition), 10**6, progress)])

    def clicks(self, partition: int = 0) -> int:
        """Clicks of HOUR as far as progress says."""
        source = LogPartition(LOG, partition)
        progress = self.store.stored(source)
        limit = -1 if progress is None else progress.through_offset
        found = [
            value
            for (key, hour, _), value in self.store.windows.items()
            if (key, hour) == (source, HOUR) and value.through_offset <= limit
        ]
        return max(found, key=lambda value: value.through_offset).counts.get("click", 0) if found else 0


def clicks(*offsets: int, partition: int = 0) -> list[Record]:
    """Records of one click each."""
    return [record(offset, click("ada"), partition=partition) for offset in offsets]


def cause_of(task: "asyncio.Task[None]") -> BaseException | None:
    """What stopped a writer; it comes in a group."""
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


async def window_of_another_owner(kit: Kit, through_offset: int) -> None:
    """Partition 0 was counted through an offset by somebody who had it before us, but took his time."""
    value = WindowValue(through_offset, {"click": through_offset + 1}, 0, 1, 8, 8)
    await kit.store.write_windows([WindowPoint(SOURCE, HOUR, 10**6, value)], [])
    await kit.store_progress(Progress(through_offset))
