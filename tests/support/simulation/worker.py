"""A worker of the product's own parts: state, fold, flush, compaction, eviction; only its event loop is ours."""

import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from contract.errors import LogReplaced, LogUnavailable
from contract.log.progress import LogPartition
from contract.log.rebuild import REFUSALS
from contract.log.record import Record
from stream_workers.counting.empty_tails import EmptyTails
from stream_workers.flush.compaction import Compactor
from stream_workers.flush.flusher import Flusher
from stream_workers.partition.decoded import RejectedLine
from stream_workers.partition.eviction import evict
from stream_workers.partition.resume import first_offset, resume_from
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import BYTES_PER_WINDOW
from stream_workers.retry import RetryPolicy
from stream_workers.retrying_reader import RetryingReader
from support.simulation.hostile_store import HostileStore, Turn
from support.simulation.log import SimulatedLog

Step = Coroutine[Any, None, Any]


class Sink:
    """Judges what is refused: never a rebuild that took place."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log

    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        await Turn()
        for line in lines:
            assert line.code not in REFUSALS or not self._log.takes_effect(line.source.partition, line.offset), line


class Topic:
    """What Kafka says the topic's id is."""

    def __init__(self, current: Callable[[], SimulatedLog]) -> None:
        self._current = current

    async def verify(self, log: str) -> None:
        await Turn()
        if self._current().name != log:
            raise LogReplaced(log)


class TopicByName:
    """The log as it is found by the topic's name: another one, once the topic is created again."""

    def __init__(self, current: Callable[[], SimulatedLog]) -> None:
        self._current = current

    async def stable_ends(self) -> dict[int, int]:
        await Turn()
        log = self._current()
        return {partition: log.stable_end(partition) for partition in range(log.partitions)}

    async def is_empty(self, source: LogPartition, first: int, end: int) -> bool:
        log = self._current()
        if source.partition >= log.partitions:
            raise LogUnavailable(f"{log.name} has no partition {source.partition}")
        return await log.is_empty(source, first, end)


class Worker:
    """Owns some of a log's partitions. Folding, flushing and the look at tails are coroutines, as in the product."""

    def __init__(
        self,
        rng: random.Random,
        store: HostileStore,
        current: Callable[[], SimulatedLog],
        partitions: Sequence[int],
        *,
        looks_at_tails: bool,
    ) -> None:
        self.log = current()
        self.states: dict[int, PartitionState] = {}
        self.stopped = False
        """By SIGSTOP: it does nothing until it is continued, and then goes on as if nothing had been."""
        self._rng = rng
        self._store = store
        self._current = current
        self._partitions = list(partitions)
        self._positions: dict[int, int] = {}
        self._window_memory = rng.choice([0, 1, 3, 1_000]) * BYTES_PER_WINDOW
        retry = RetryPolicy(lambda _seconds: self._pause())
        self._reader = RetryingReader(store, retry, "fold", lambda: True)
        self._compactor = Compactor(store, retry, many_segments=1)
        self._flusher = Flusher(store, Sink(self.log), Topic(current), retry, self._one_after_another)
        topic = TopicByName(current)
        self._tails = EmptyTails(self, topic.stable_ends, topic, lambda _seconds: self._pause())  # type: ignore[arg-type] # fakes of the parts that are used
        self._steps: list[Step] = [self._fold(), self._flush()]
        if looks_at_tails:
            self._steps.append(self._look_at_tails())

    def step(self) -> None:
        """Raises LogReplaced where the product's worker ends."""
        self._rng.choice(self._steps).send(None)

    def kill(self) -> None:
        for step in self._steps:
            step.close()

    def has_stored(self, partition: int, through_offset: int) -> bool:
        state = self.states.get(partition)
        return state is not None and state.stored_through >= through_offset

    async def _pause(self) -> None:
        await Turn()

    async def _one_after_another(self, *writes: Coroutine[Any, None, None]) -> None:
        order = list(writes)
        self._rng.shuffle(order)
        try:
            for write in order:
                await write
        finally:
            for write in order:
                write.close()

    def _draw_slot(self) -> int:
        return self._rng.randrange(10**12)

    async def _take(self, partition: int) -> None:
        source = LogPartition(self.log.name, partition)
        stored = (await self._store.read_progress(source)).get(source)
        start = resume_from(source, stored, 0, self.log.stable_end(partition))
        state = PartitionState(source, start, self._draw_slot, self.log)
        if start.through_offset >= 0:
            await self._flusher.write_progress([state], lambda: True)
        self._positions[partition] = first_offset(start)
        self.states[partition] = state

    async def _fold(self) -> None:
        for partition in self._partitions:
            await self._take(partition)
        while True:
            if behind := [number for number in self._partitions if self._waiting(number)]:
                partition = self._rng.choice(behind)
                state, waiting = self.states[partition], self._waiting(partition)
                await self._maybe_load_ahead(state, waiting)
                await state.fold(waiting[0], self._reader)
                self._positions[partition] = waiting[0].offset + 1
            await Turn()

    def _waiting(self, partition: int) -> list[Record]:
        """What Kafka gives at this position, which may be of another log by now: it goes by the topic's name."""
        found = self._current()
        if partition >= found.partitions:
            return []
        return found.given(partition, self._positions[partition], found.end(partition))

    async def _maybe_load_ahead(self, state: PartitionState, waiting: Sequence[Record]) -> None:
        if self._rng.random() < 0.3:
            ahead = waiting[: self._rng.randint(1, 4)]
            await state.load(sorted({hour for one in ahead for hour in state.decode_ahead(one)}), self._store)

    async def _look_at_tails(self) -> None:
        while True:
            await self._tails.step()
            await Turn()

    async def _flush(self) -> None:
        while True:
            if self._rng.random() < 0.5:
                flushes = [flush for state in self.states.values() if (flush := state.snapshot()) is not None]
                self._compactor.choose(self.states.values())
                if flushes:
                    await self._flusher.write(flushes, lambda: True)
                    evict(self.states.values(), self._window_memory)
                if self._rng.random() < 0.5:
                    await self._compactor.step(self.states.values(), lambda: True)
            await Turn()
