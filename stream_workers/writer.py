"""The actor: folds what its mailbox holds, flushes, and tells when it is done."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from contract.errors import RecordsMissing
from contract.progress import LogPartition
from contract.record import Record
from contract.store import Store, StoreReader
from stream_workers import metrics
from stream_workers.compaction import Compactor
from stream_workers.flush import Flusher
from stream_workers.memory import evict
from stream_workers.partition_state import DrawPlace, PartitionState
from stream_workers.patient_reader import PatientReader
from stream_workers.rebuild import PastRecords
from stream_workers.retry import Abandoned, Retry
from stream_workers.start import first_offset, start_from
from stream_workers.together import together

logger = logging.getLogger(__name__)


class Received(NamedTuple):
    """A record, and the consumer group's generation in which it was fetched."""

    generation: int
    record: Record


class Mailbox(Protocol):
    """What was received and not looked at yet; asyncio.Queue fits. `get` raises StopAsyncIteration at its end."""

    def empty(self) -> bool: ...
    def get_nowait(self) -> Received: ...
    async def get(self) -> Received: ...


IsHole = Callable[[int, int, int], bool]
"""Whether a partition of the log has no records from one offset up to, not including, another."""
Commit = Callable[[Mapping[int, int]], Awaitable[None]]
"""Commits the next offset of each partition to Kafka; never raises for a refusal."""


class Writer:
    """Owns the state of the assigned partitions. All of it runs on one event loop.

    Two coroutines share the work: one folds records as they come, one flushes; a flush that is in flight does not stop
    the folding until `2 * flush_lines` lines wait.
    """

    def __init__(  # noqa: PLR0913 - the one place where the worker's parts meet
        self,
        store: Store,
        flusher: Flusher,
        retry: Retry,
        commit: Commit,
        is_hole: IsHole,
        draw_place: DrawPlace,
        *,
        past: PastRecords,
        flush_interval: float,
        flush_lines: int,
        window_memory: int,
    ) -> None:
        """`flush_interval` is in seconds, `window_memory` in bytes."""
        self._store = store
        self._flusher = flusher
        self._retry = retry
        self._commit = commit
        self._is_hole = is_hole
        self._draw_place = draw_place
        self._past = past
        self._flush_interval = flush_interval
        self._flush_lines = flush_lines
        self._compactor = Compactor(store, retry)
        self._window_memory = window_memory
        self._mailbox: Mailbox | None = None
        self._states: dict[int, PartitionState] = {}
        self._epoch = 0
        self._sealed = False
        self._folding = False
        self._flushing = False
        self._flush_soon = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def idle(self) -> bool:
        """Whether the mailbox is empty, and all that came out of it is stored and its offsets were committed."""
        busy = self._folding or self._flushing or not (self._mailbox is None or self._mailbox.empty())
        return not busy and all(state.settled for state in self._states.values())

    @property
    def partitions(self) -> list[int]:
        """The partitions that are being counted."""
        return sorted(self._states)

    @property
    def unflushed_lines(self) -> int:
        """Lines that were folded, and that no flush has taken yet."""
        return sum(state.unflushed_lines for state in self._states.values())

    async def take(self, source: LogPartition, beginning: int, end: int, generation: int) -> int:
        """Takes over a partition whose log holds the offsets from `beginning` up to `end`; returns where to read from.

        Tries for as long as the store is away; raises Abandoned once the partition was taken away meanwhile.
        """
        epoch = self._epoch
        still_ours = partial(self._still, epoch)
        stored = (await self._reader("read progress", still_ours).read_progress(source)).get(source)
        start = start_from(source, stored, beginning, end)
        state = PartitionState(source, start, self._draw_place, self._past, generation)
        if start.through_offset >= 0:
            # The progress that we saw may be forgotten by the store; ours is acknowledged.
            await self._flusher.write_progress([state], still_ours)
        if not still_ours():
            raise Abandoned(f"take {source}")
        metrics.LOST.inc(start.lost - (stored.lost if stored else 0))
        self._sealed = False
        self._states[source.partition] = state
        metrics.PARTITIONS.set(len(self._states))
        return first_offset(start)

    def next_offset(self, partition: int) -> int:
        """The offset that follows on what is stored of a partition that was taken."""
        return self._states[partition].stored_through + 1

    def seal(self) -> None:
        """Folds nothing more until a partition is taken over anew."""
        self._sealed = True

    async def release(self, timeout: float) -> None:  # noqa: ASYNC109 - bounds a wait, not a computation
        """Flushes what was folded, for at most `timeout` seconds, then forgets all partitions."""
        try:
            await asyncio.wait_for(self.settle(), timeout)
        except TimeoutError:
            logger.warning("released partitions before their flush was done; their next owner counts them again")
        self._epoch += 1
        self._states = {}
        metrics.PARTITIONS.set(0)

    async def settle(self) -> None:
        """Returns once the mailbox is empty, and all that came out of it is stored and committed."""
        while not self.idle:
            self._settled.clear()
            if not self._folding and any(state.may_flush for state in self._states.values()):
                self._flush_soon.set()
            await self._settled.wait()

    def _reader(self, what: str, still_ours: Callable[[], bool]) -> StoreReader:
        return PatientReader(self._store, self._retry, what, still_ours)

    def _still(self, epoch: int) -> bool:
        return epoch == self._epoch

    async def run(self, mailbox: Mailbox) -> None:
        """Works until the mailbox ends; raises what must stop the worker."""
        self._mailbox = mailbox
        async with asyncio.TaskGroup() as tasks:
            flushing = tasks.create_task(self._flush_loop())
            await self._fold_loop(mailbox)
            flushing.cancel()

    async def _fold_loop(self, mailbox: Mailbox) -> None:
        ended = False
        while not ended:
            batch, ended = await _received_by_now(mailbox)
            self._folding = True
            try:
                await self._load_ahead(batch)
                for received in batch:
                    if not self._fold_at_once(received):
                        await self._fold(received)
                    if self.unflushed_lines >= self._flush_lines:
                        await self._make_room()
            finally:
                self._folding = False
                self._settled.set()

    async def _load_ahead(self, batch: Sequence[Received]) -> None:
        """Loads at once what folding the batch would load bit by bit."""
        records: dict[int, list[Record]] = {}
        for received in batch:
            if self._owner_of(received) is not None:
                records.setdefault(received.record.partition, []).append(received.record)
        missing = [(self._states[number], self._states[number].look_ahead(some)) for number, some in records.items()]
        if not any(hours for _, hours in missing):
            return

        reader = self._reader("load windows", partial(self._still, self._epoch))
        with contextlib.suppress(Abandoned):
            await together(*(state.load(hours, reader) for state, hours in missing))

    def _owner_of(self, received: Received) -> PartitionState | None:
        """The state that counts a record; None for one that is not ours to count any more."""
        state = self._states.get(received.record.partition)
        return None if self._sealed or state is None or state.generation != received.generation else state

    def _fold_at_once(self, received: Received) -> bool:
        """Folds a record that needs nothing from the store: where records have one line each, waiting costs more."""
        state = self._owner_of(received)
        if state is None:
            return True
        self._require_no_gap(state, received.record.offset)
        if not state.fold_at_once(received.record):
            return False
        metrics.RECORDS.inc()
        return True

    async def _fold(self, received: Received) -> None:
        record = received.record
        state = self._states[record.partition]

        def still_ours() -> bool:
            return self._states.get(record.partition) is state

        fold = partial(state.fold, record, self._reader("load windows", still_ours))
        try:
            # Again as a whole where Kafka is away: a rebuild reads the log once more.
            await self._retry("load windows", fold, still_ours=still_ours)
        except Abandoned:
            return
        metrics.RECORDS.inc()

    def _require_no_gap(self, state: PartitionState, offset: int) -> None:
        expected, partition = state.folded + 1, state.source.partition
        if offset > expected and not self._is_hole(partition, expected, offset):
            raise RecordsMissing(
                f"{state.source}: record {offset} came where {expected} was expected, and the log has what is between"
            )

    async def _make_room(self) -> None:
        self._flush_soon.set()
        while self._too_full():
            self._settled.clear()
            await self._settled.wait()

    def _too_full(self) -> bool:
        can_shrink = self._flushing or any(state.may_flush for state in self._states.values())
        return can_shrink and self.unflushed_lines >= 2 * self._flush_lines

    async def _flush_loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._flush_soon.wait(), self._flush_interval)
            self._flush_soon.clear()
            self._flushing = True
            try:
                await self._flush()
                await self._compactor.step(self._states.values(), partial(self._still, self._epoch))
            except Abandoned as lost:
                logger.info("a flush was abandoned, its partitions were taken away: %s", lost)
            finally:
                self._flushing = False
                self._settled.set()

    async def _flush(self) -> None:
        epoch, states = self._epoch, dict(self._states)
        parts = [part for state in states.values() if (part := state.snapshot()) is not None]
        if not parts:
            return
        # What waited is on its way: there is room to fold on.
        self._settled.set()
        began = time.monotonic()
        await self._flusher.write(parts, partial(self._still, epoch))
        metrics.FLUSH_SECONDS.observe(time.monotonic() - began)
        for part in parts:
            rejected = len(part.rejected)
            metrics.LINES.labels("rejected").inc(rejected)
            metrics.LINES.labels("counted").inc(len(part.raw.lines) - rejected)
        evict(states.values(), self._window_memory)
        await self._commit({part.state.source.partition: part.progress.through_offset + 1 for part in parts})


async def _received_by_now(mailbox: Mailbox) -> tuple[list[Received], bool]:
    """Waits for a record, and takes all that are there with it; and whether the mailbox ended."""
    batch: list[Received] = []
    try:
        batch.append(mailbox.get_nowait() if not mailbox.empty() else await mailbox.get())
        while not mailbox.empty():
            batch.append(mailbox.get_nowait())
    except StopAsyncIteration:
        return batch, True
    return batch, False
