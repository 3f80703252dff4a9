"""Simulated reads while producers append, workers flush, partitions are added and the topic is created again.

An answer must be an exact count of a beginning of each partition, and hold all that it calls complete.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Final

import pytest

from aggregator.end_offsets.cache import EndOffsets
from aggregator.end_offsets.port import LogEndOffsets
from aggregator.hours.cache import HourCache
from aggregator.hours.completeness import completeness_of
from aggregator.hours.reader import Answer
from aggregator.hours.totals import add_up
from aggregator.settings import AggregatorSettings
from contract.log.partitioning import partition_of
from contract.log.progress import LogPartition, Progress
from contract.store import WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import read_committed
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click

SEEDS: Final = range(400)
READS: Final = 5
USERS: Final = 12
SETTINGS: Final = AggregatorSettings()


class Simulation(AggregatorFixture):
    """A fixture in which things happen before each question is answered. Each partition has an event of its own."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        super().__init__(partitions=self.random.randint(1, 3))
        self.logs = ["log-1"]
        self._flushing: dict[LogPartition, AsyncIterator[None]] = {}

    async def happen(self) -> None:
        """A few of the things that may happen."""
        for _ in range(self.random.randint(0, 6)):
            self.now += self.random.choice((0, 0, 1, 3, 90))
            happening = self.random.choices((self._produce, self._flush_step, self._change_topic), (10, 20, 1))[0]
            await happening()

    async def _produce(self) -> None:
        user = f"user-{self.random.randrange(USERS)}"
        partition = partition_of(user, self.partitions)
        header = 0 if self.random.random() < 0.01 else None
        self.append(
            partition, click(user, event=_event_of(self.logs.index(self.end_offsets.log), partition)), header=header
        )

    async def _flush_step(self) -> None:
        source = self.random.choice([LogPartition(self.end_offsets.log, number) for number in range(self.partitions)])
        flush = self._flushing.setdefault(source, self.flush(source))
        if await anext(flush, "over") == "over":
            del self._flushing[source]

    async def _change_topic(self) -> None:
        if self.random.random() < 0.7:
            self.grow()
            return
        # What a topic loses by being deleted before it was counted, nobody can know.
        for partition in range(self.partitions):
            if under_way := self._flushing.pop(LogPartition(self.end_offsets.log, partition), None):
                async for _ in under_way:
                    pass
            await self.count(partition)
        self.logs.append(f"log-{len(self.logs) + 1}")
        self.create_again(self.logs[-1], self.random.randint(1, 3))


class MovingStore(MemoryStore):
    """The simulation's store as a reader meets it: things happen before each answer."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._happen = simulation.happen
        self._store = simulation.store

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        await self._happen()
        return await self._store.read_progress(source)

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        await self._happen()
        return await self._store.read_windows(hour, source)

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        await self._happen()
        return await self._store.read_segments(hour, source, window)


class MovingLogEnds:
    """The simulation's Kafka as a reader meets it."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def read(self) -> LogEndOffsets:
        await self._simulation.happen()
        ends = await self._simulation.end_offsets.read()
        await self._simulation.happen()
        return ends

    async def close(self) -> None:
        """It holds nothing to give back."""


def _event_of(log: int, partition: int) -> str:
    return f"log_{log}_partition_{partition}"


def _counted(simulation: Simulation, answer: Answer) -> dict[LogPartition, int]:
    return {
        source: answer.totals.counts.get(_event_of(simulation.logs.index(source.log), source.partition), 0)
        for source in simulation.records
    }


def _is_exact(simulation: Simulation, answer: Answer) -> bool:
    users = {
        record.actions[0].user
        for source, count in _counted(simulation, answer).items()
        for record in simulation.records[source][:count]
    }
    return answer.totals.unique_users == len(users)


def _holds_what_it_calls_complete(simulation: Simulation, answer: Answer) -> bool:
    through = answer.completeness.complete_through
    return through is None or all(
        sum(record.timestamp < through for record in simulation.records[source]) <= count
        for source, count in _counted(simulation, answer).items()
    )


Reads = Callable[[Simulation], Callable[[], Awaitable[Answer]]]
"""Makes a reader of a simulation."""


async def _reads(read: Reads) -> list[tuple[Simulation, Answer]]:
    """Some answers of each simulation."""
    answers = []
    for seed in SEEDS:
        simulation = Simulation(seed)
        read_once = read(simulation)
        answers += [(simulation, await read_once()) for _ in range(READS)]
    return answers


def _in_our_order(simulation: Simulation) -> Callable[[], Awaitable[Answer]]:
    reader = simulation.reader(MovingStore(simulation), end_offsets=MovingLogEnds(simulation))
    return lambda: reader.read(HOUR)


def _from_memory(simulation: Simulation) -> Callable[[], Awaitable[Answer]]:
    reader = simulation.reader(MovingStore(simulation), end_offsets=MovingLogEnds(simulation))
    hours = HourCache(reader, simulation.clock, SETTINGS)

    async def read() -> Answer:
        await simulation.happen()
        simulation.now += simulation.random.choice((0, 100, 300))
        # A renewal that began behind the answer before may go on.
        await asyncio.sleep(0)
        return await hours.read(HOUR)

    return read


def _with_the_ends_last(simulation: Simulation) -> Callable[[], Awaitable[Answer]]:
    """Numbers first, then the clock and the log's ends, then progress: the order that looks just as good."""
    store, end_offsets = MovingStore(simulation), MovingLogEnds(simulation)

    async def read() -> Answer:
        committed = await read_committed(store, HOUR)
        latest = EndOffsets(simulation.now, await end_offsets.read())
        progress = await store.read_progress()
        completeness = completeness_of(HOUR, latest, progress, SETTINGS.aggregator_final_margin)
        windows = {source: window for source, (_, window) in committed.items() if window is not None}
        return Answer(HOUR, add_up(windows), completeness, lost=0, windows=windows, progress={})

    return read


@pytest.mark.parametrize("read", [_in_our_order, _from_memory])
async def test_an_answer_is_exact_and_holds_all_that_it_calls_complete(read: Reads) -> None:
    for simulation, answer in await _reads(read):
        assert _is_exact(simulation, answer), (simulation.seed, answer)
        assert _holds_what_it_calls_complete(simulation, answer), (simulation.seed, answer)


@pytest.mark.parametrize("read", [_in_our_order, _from_memory])
async def test_the_simulation_meets_answers_of_every_kind(read: Reads) -> None:
    answers = [answer for _, answer in await _reads(read)]
    throughs = [answer.completeness.complete_through for answer in answers]
    lags = [answer.completeness.lag for answer in answers]

    assert {None, 0} <= set(lags)
    assert any(lag and through for lag, through in zip(lags, throughs, strict=True))
    assert any(answer.totals.unique_users > 1 for answer in answers)


async def test_numbers_from_memory_never_go_back() -> None:
    before: dict[Simulation, dict[LogPartition, int]] = {}
    for simulation, answer in await _reads(_from_memory):
        counted = _counted(simulation, answer)
        assert all(counted[source] >= count for source, count in before.get(simulation, {}).items()), simulation.seed
        before[simulation] = counted


async def test_the_simulation_finds_out_answers_read_in_another_order() -> None:
    stale = [read for read in await _reads(_with_the_ends_last) if not _holds_what_it_calls_complete(*read)]

    assert stale
