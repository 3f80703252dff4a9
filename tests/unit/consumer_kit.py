"""Our consumer on a thread that is none: what Kafka would say is said here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from faust.types import TP
from worker_world import LOG

from contract.errors import LogReplaced, LogUnfit
from contract.progress import LogPartition
from stream_workers.consumer import Consumer
from stream_workers.faust_app import App

TOPIC = "actions"
GENERATION = 4


def tps(*partitions: int) -> set[TP]:
    return {TP(TOPIC, partition) for partition in partitions}


class FakeThread:
    """Faust's consumer thread, and Kafka behind it: one log a partition."""

    def __init__(self) -> None:
        self.assigned: set[TP] = set()
        self.logs: dict[TP, list[int]] = {}
        """The offsets that each partition's log has."""
        self.positions: dict[TP, int] = {}
        self.seeks: list[dict[int, int]] = []
        self.committed: dict[int, int] = {}
        self.stale: list[dict[TP, list[int]]] = []
        """Fetches that are delivered first, whatever the positions."""
        self.commit_error: Exception | None = None
        self.fetch_error: Exception | None = None

    def assignment(self) -> set[TP]:
        return self.assigned

    def highwater(self, tp: TP) -> int:
        return self.end_of(tp)

    def end_of(self, tp: TP) -> int:
        return max(self.logs.get(tp, []), default=-1) + 1

    async def highwaters(self, *wanted: TP) -> dict[TP, int]:
        return {tp: self.end_of(tp) for tp in wanted}

    async def earliest_offsets(self, *wanted: TP) -> dict[TP, int]:
        return {tp: min(self.logs.get(tp, []), default=0) for tp in wanted}

    async def seek_wait(self, offsets: Mapping[TP, int]) -> None:
        self.seeks.append({tp.partition: offset for tp, offset in offsets.items()})
        self.positions |= offsets

    async def getmany(self, _active: object, timeout: float) -> dict[TP, list[SimpleNamespace]]:  # noqa: ASYNC109 # Faust's signature
        await asyncio.sleep(timeout)
        if self.fetch_error is not None:
            raise self.fetch_error
        found = self.stale.pop(0) if self.stale else self._fetched()
        return {tp: [_record(tp, offset) for offset in offsets] for tp, offsets in found.items()}

    def _fetched(self) -> dict[TP, list[int]]:
        found = {
            tp: [offset for offset in self.logs.get(tp, []) if offset >= position]
            for tp, position in self.positions.items()
        }
        self.positions |= {tp: offsets[-1] + 1 for tp, offsets in found.items() if offsets}
        return found

    def _ensure_consumer(self) -> "FakeThread":
        return self

    async def commit(self, offsets: Mapping[TP, Any]) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.committed |= {tp.partition: one.offset for tp, one in offsets.items()}

    async def call_thread(self, call: Callable[..., Awaitable[Any]], *arguments: object) -> Any:  # noqa: ANN401 # whatever the call gives
        return await call(*arguments)


def _record(tp: TP, offset: int) -> SimpleNamespace:
    return SimpleNamespace(
        topic=tp.topic,
        partition=tp.partition,
        offset=offset,
        timestamp=1_000,
        timestamp_type=1,
        headers=[],
        key=b"",
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
    )


class FakeOwner:
    """Says where to read from once it is let."""

    def __init__(self) -> None:
        self.starts: dict[int, int] = {}
        self.taken: list[tuple[LogPartition, int, int, int]] = []
        self.journal: list[str] = []
        self.let = asyncio.Event()
        self.let.set()
        self.error: Exception | None = None

    async def take(self, source: LogPartition, beginning: int, end: int, generation: int) -> int:
        await self.let.wait()
        if self.error is not None:
            raise self.error
        self.taken.append((source, beginning, end, generation))
        return self.starts.get(source.partition, 0)

    def next_offset(self, partition: int) -> int:
        return self.starts.get(partition, 0) + 1

    def seal(self) -> None:
        self.journal.append("seal")

    async def release(self, timeout: float) -> None:  # noqa: ASYNC109 # the seam's signature
        self.journal.append(f"release {timeout}")


class FakeTopic:
    """A topic that may be deleted and created again."""

    name = TOPIC

    def __init__(self) -> None:
        self.id: str | None = LOG

    async def log(self) -> str:
        if self.id is None:
            raise LogUnfit("there is no topic")
        return self.id

    async def verify(self, log: str) -> None:
        if await self.log() != log:
            raise LogReplaced("created anew")


class Kit:
    """A consumer of ours with all that it leans on."""

    def __init__(self) -> None:
        self.owner = FakeOwner()
        self.topic = FakeTopic()
        app = App(
            "workers",
            owner=self.owner,
            topic=self.topic,  # type: ignore[arg-type] # a fake of the part that is used
            release_timeout=5.0,
            buffered_bytes=1_000,
            autodiscover=False,
            store="memory://",
        )
        app.consumer_generation_id = GENERATION
        self.consumer: Consumer = app.consumer
        # Faust makes its own thread, with an event loop that nobody would close.
        self.consumer._thread.thread_loop.close()  # noqa: SLF001 # there is no other way to put a fake in
        self.thread = FakeThread()
        self.consumer._thread = self.thread  # noqa: SLF001 # likewise

    def assign(self, *partitions: int) -> None:
        """As Kafka does it; Faust's own part is left out."""
        self.thread.assigned = tps(*partitions)
        self.consumer._set_active_tps(self.thread.assigned)  # noqa: SLF001 # what Faust does at an assignment
        self.consumer._fresh = True  # noqa: SLF001 # what ours does

    @property
    def fetched(self) -> set[TP]:
        """The partitions that Faust would fetch from."""
        return set(self.consumer._get_active_partitions())  # noqa: SLF001 # nobody else tells

    def has(self, partition: int, offsets: Iterable[int]) -> None:
        """The partition's log."""
        self.thread.logs[TP(TOPIC, partition)] = list(offsets)

    async def read(self, times: int = 1) -> list[tuple[int, int]]:
        """What comes through in so many fetches, as (partition, offset)."""
        passed = []
        for _ in range(times):
            async for tp, message in self.consumer.getmany(1.0):
                passed.append((tp.partition, message.offset))
        return passed
