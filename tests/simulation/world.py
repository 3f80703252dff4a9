"""A partition, its workers and readers under a random scheduler: the product's own fold, flush and read code."""

import random
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any

from hostile_store import HostileStore, Turn

from contract.action import Action, encode_action
from contract.hour import HOUR_MS
from contract.progress import LogPartition, Progress
from contract.record import Record
from contract.window import WindowValue
from stores.committed import read_committed
from stream_workers.flush import Flusher
from stream_workers.partition_state import PartitionState, RejectedLine
from stream_workers.retry import Retry
from stream_workers.start import start_from

SOURCE = LogPartition("log", 0)
HOURS = [hour * HOUR_MS for hour in range(3)]
PARTITIONS = 8

Step = Coroutine[Any, None, Any]


def exhaust(coroutine: Coroutine[Any, None, Any]) -> Any:
    """What a coroutine returns that nobody else gets a turn in between of."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value


class Sink:
    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        await Turn()


class SameLog:
    async def verify(self, log: str) -> None:
        await Turn()


class Worker:
    """Its folding and its flushing are two coroutines, as in the product."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.state: PartitionState | None = None
        self._retry = Retry(lambda _seconds: self._pause())
        self._flusher = Flusher(world.store, Sink(), SameLog(), self._retry, self._one_after_another)
        self.steps: list[Step] = [self._fold(), self._flush()]

    async def _pause(self) -> None:
        await Turn()

    async def _one_after_another(self, *writes: Coroutine[Any, None, None]) -> None:
        order = list(writes)
        self.world.rng.shuffle(order)
        try:
            for write in order:
                await write
        finally:
            for write in order:
                write.close()

    def _draw_place(self) -> int:
        return self.world.rng.randrange(10**12)

    async def _take(self) -> PartitionState:
        found = await self.world.store.read_progress(SOURCE)
        start = start_from(SOURCE, found.get(SOURCE), 0, len(self.world.log))
        state = PartitionState(SOURCE, start, self._draw_place, self.world)
        if start.through_offset >= 0:
            await self._flusher.write_progress([state], lambda: True)
        return state

    async def _fold(self) -> None:
        self.state = await self._take()
        while True:
            following = self.state.folded + 1
            if following < len(self.world.log):
                if self.world.rng.random() < 0.3:
                    hours = self.state.look_ahead(self.world.log[following : following + self.world.rng.randint(1, 4)])
                    await self.state.load(sorted(hours), self.world.store)
                await self.state.fold(self.world.log[following], self.world.store)
            await Turn()

    async def _flush(self) -> None:
        while True:
            flush = None if self.state is None or self.world.rng.random() < 0.5 else self.state.snapshot()
            if flush is not None:
                await self._flusher.write([flush], lambda: True)
                self._maybe_evict()
            await Turn()

    def _maybe_evict(self) -> None:
        assert self.state is not None
        evictable = self.state.evictable()
        if evictable and self.world.rng.random() < 0.3:
            del self.state.windows[self.world.rng.choice(evictable).hour]

    def step(self) -> None:
        self.world.rng.choice(self.steps).send(None)

    def kill(self) -> None:
        for step in self.steps:
            step.close()


class World:
    """One run: chance comes from `seed` alone."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.store = HostileStore(self.rng)
        self.log: list[Record] = []
        self.actions: list[list[Action]] = []
        self.workers: list[Worker] = []
        # Worlds differ: in some, late writes come very late; in some, workers live long.
        self._late = self.rng.choice([0.003, 0.01, 0.035])
        self._crash = self.rng.choice([0.02, 0.10])
        self._birth = self.rng.choice([0.01, 0.04])
        self._death = self._birth * 0.6

    def produce(self) -> None:
        actions = [self._action() for _ in range(self.rng.randint(0, 3))]
        value = b"\n".join(map(encode_action, actions)) or b"poison"
        self.actions.append(actions)
        offset = len(self.log)
        self.log.append(Record(SOURCE.partition, offset, offset * 1_000_000, value, PARTITIONS))

    def _action(self) -> Action:
        return Action(
            self.rng.choice(HOURS) + self.rng.randrange(HOUR_MS),
            f"user-{self.rng.randint(0, 4)}",
            self.rng.choice(["click", "impression"]),
            self.rng.choice([None, "a", "b", "c"]),
        )

    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        """The log, as a worker that reads it again sees it."""
        for record in self.log[first:end]:
            await Turn()
            yield record

    def step(self) -> None:
        chance = self.rng.random()
        if chance < 0.10:
            self.produce()
        elif chance < 0.10 + self._birth or not self.workers:
            self.workers.append(Worker(self))
        elif chance < 0.10 + self._birth + self._death:
            self.workers.pop(self.rng.randrange(len(self.workers))).kill()
        elif chance > 1 - self._late:
            self.store.deliver_late()
        elif chance > 1 - self._late - self._crash:
            self.store.crash()
        else:
            self.rng.choice(self.workers).step()

    def committed(self, hour: int) -> tuple[Progress, WindowValue] | None:
        found = exhaust(read_committed(self.store, hour)).get(SOURCE)
        return None if found is None else (found.progress, found.window or WindowValue())

    def oracle(self, through_offset: int, hour: int) -> tuple[dict[str, int], int, int]:
        return count(self.actions[: through_offset + 1], hour)

    def check(self) -> None:
        """Each hour's answer is right for the offset that it names, and covers all that was committed before."""
        for hour in HOURS:
            before = exhaust(self.store.read_progress(SOURCE)).get(SOURCE, Progress())
            found = self.committed(hour)
            if found is None:
                continue
            progress, value = found
            assert (value.counts, value.duplicates, value.unique_users) == self.oracle(value.through_offset, hour)
            assert progress.lines == sum(
                max(1, len(actions)) for actions in self.actions[: progress.through_offset + 1]
            )
            later = self.actions[value.through_offset + 1 : before.through_offset + 1]
            assert count(later, hour) == ({}, 0, 0), "stale"

    def finish(self) -> None:
        """The store is kind again; one healthy worker catches up."""
        for worker in self.workers:
            worker.kill()
        self.store.deliver_all()
        self.store.crash()
        self.store.hostile = False
        healthy = Worker(self)
        self.workers = [healthy]
        for _ in range(20_000):
            if healthy.state is not None and healthy.state.stored_through == len(self.log) - 1:
                break
            healthy.step()
        for hour in HOURS:
            found = self.committed(hour)
            assert found is not None
            value = found[1]
            assert (value.counts, value.duplicates, value.unique_users) == self.oracle(len(self.log) - 1, hour)
        assert len(self.store.actions) == sum(map(len, self.actions))


def count(records: Iterable[list[Action]], hour: int) -> tuple[dict[str, int], int, int]:
    """Counts by event, duplicates and unique users: written apart from the product's fold."""
    counts: dict[str, int] = {}
    duplicates, users, ids = 0, set(), set()
    for action in (action for actions in records for action in actions):
        if not hour <= action.timestamp < hour + HOUR_MS:
            continue
        if action.id is not None and (action.user, action.id) in ids:
            duplicates += 1
            continue
        ids.add((action.user, action.id))
        users.add(action.user)
        counts[action.event] = counts.get(action.event, 0) + 1
    return counts, duplicates, len(users)


def run(seed: int) -> None:
    world = World(seed)
    try:
        for _ in range(3):
            world.produce()
        for _ in range(world.rng.randint(100, 600)):
            world.step()
            world.check()
        world.finish()
    finally:
        for worker in world.workers:
            worker.kill()
