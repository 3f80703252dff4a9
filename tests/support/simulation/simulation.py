"""A topic, its workers and readers under a random scheduler: the product's own fold, flush, evict and read code."""

import random
from collections.abc import Coroutine
from typing import Any

from aggregator.hours.unique_users import HourUsers
from contract.errors import LogReplaced, LogTruncated
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.partitioning import partition_of
from support.simulation.hostile_store import HostileStore
from support.simulation.log import SimulatedLog, Transaction
from support.simulation.reader import read_and_judge
from support.simulation.rebuild import damage, forge, rebuild
from support.simulation.worker import Worker

NEAR = [hour * HOUR_MS for hour in range(3)]
FAR = [hour * 1_000 for hour in NEAR]
"""A worker reads hours that lie near each other at once, and each of these by itself."""
USERS = [f"user-{number}" for number in range(6)]


def exhaust(coroutine: Coroutine[Any, None, Any]) -> Any:
    """What a coroutine returns that nobody else gets a turn in between of."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value


class Simulation:
    """One run: chance comes from `seed` alone."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.store = HostileStore(rng)
        self.log = SimulatedLog("log-1", rng.choice([1, 1, 2, 3]))
        self.logs = {self.log.name: self.log}
        self.workers: list[Worker] = []
        self.reader: Coroutine[Any, None, None] | None = None
        self.rebuilds: list[Coroutine[Any, None, None]] = []
        self.now = 0
        # Worlds differ: in some, late writes come very late; in some, workers live long; in some, the topic changes.
        self._late = rng.choice([0.003, 0.01, 0.035])
        self._crash = rng.choice([0.02, 0.10])
        self._birth = rng.choice([0.01, 0.04])
        self._stall = rng.choice([0, 0.01])
        self._growth = rng.choice([0, 0.01])
        self._anew = rng.choice([0, 0.004])
        self._foreign = rng.choice([0, 0, 0.2])
        self._unaware = rng.choice([0, 0.3])
        self._damage = rng.choice([0, 0, 0.004])
        self._rebuild = rng.choice([0, 0.01])
        # Of its own, so that what a seed shows in a world without transactions stays the same.
        self._transactions = random.Random(-seed - 1).choice([0, 0, 0.06])
        self._forging = random.Random(-seed - 2).choice([0, 0.01, 0.03]) if self._rebuild else 0
        if self._forging:
            # What a copy of an old rebuild would undo.
            self._damage, self._rebuild = 0.008, 0.025
        more = random.Random(-seed - 3)
        self.hours = more.choice([NEAR, FAR])
        self._dies_unanswered = more.choice([0, 0.5])
        """So likely a worker dies with a write whose outcome is unknown."""
        self._crash *= more.choice([0.05, 1])
        self._crashes_last = more.choice([True, False])
        self.silence = more.choice([0, 150])
        """For so many steps at the end nothing is produced: all flushes end at the same offset."""
        self.is_silent = False
        # A worker reads what is stored of an hour only once.
        self._birth *= more.choice([1, 4])
        self.users = {hour: HourUsers() for hour in self.hours}
        """As its readings left them."""

    def produce(self, transaction: Transaction | None = None) -> None:
        """One record, by a producer that may not know of the last growth, or is none of ours."""
        made_for = self.log.partitions
        users, partition = USERS, self.rng.randrange(made_for)
        if self.rng.random() < self._foreign:
            made_for = 0
        else:
            if self.rng.random() < self._unaware:
                made_for = self.rng.randint(1, made_for)
            partition = partition_of(self.rng.choice(USERS), made_for)
            users = [user for user in USERS if partition_of(user, made_for) == partition]
        actions = [self._action(self.rng.choice(users)) for _ in range(self.rng.randint(0, 3))]
        if transaction is None:
            self.log.append(partition, actions, made_for, self._tick())
        else:
            self.log.append_to(transaction, partition, actions, made_for, self._tick())

    def _transact(self) -> None:
        """A transaction begins, goes on or ends; there are at most two at a time."""
        rng, log = self.rng, self.log
        if len(log.open) < 2 and rng.random() < 0.3:
            log.open.append(Transaction())
        if not log.open:
            return
        if rng.random() < 0.6:
            self.produce(rng.choice(log.open))
        else:
            log.decide(rng.choice(log.open), self._tick(), commits=rng.random() < 0.5)

    def _action(self, user: str) -> Action:
        return Action(
            self.rng.choice(self.hours) + self.rng.randrange(HOUR_MS),
            user,
            self.rng.choice(["click", "impression"]),
            self.rng.choice([None, "a", "b", "c"]),
        )

    def step(self) -> None:
        """One of the things that may happen."""
        happenings = {
            self.produce: 0 if self.is_silent else 0.08,
            self._start_worker: self._birth if self.workers else 1,
            self._kill_worker: self._birth * 0.6,
            self._stop_or_continue_worker: self._stall,
            self.log.grow: self._growth if self.log.partitions < 4 else 0,
            self._create_anew: self._anew if len(self.logs) < 3 else 0,
            self.store.deliver_late: self._late,
            self.store.crash: self._crash,
            self._damage_an_hour: self._damage,
            self._begin_rebuild: self._rebuild,
            self._transact: self._transactions,
            self._forge: self._forging,
            self._step_rebuild: (0.2 if self._forging else 0.06) if self.rebuilds else 0,
            self._step_reader: 0.08,
            self._step_worker: 0.84,
        }
        self.rng.choices(list(happenings), list(happenings.values()))[0]()

    def _start_worker(self) -> None:
        owned = self.rng.sample(range(self.log.partitions), min(self.rng.randint(1, 2), self.log.partitions))
        self.workers.append(self._worker(owned))

    def _worker(self, owned: list[int]) -> Worker:
        return Worker(self.rng, self.store, lambda: self.log, owned, looks_at_tails=self._transactions > 0)

    def _kill_worker(self) -> None:
        if self.workers:
            self._end(self.rng.choice(self.workers))

    def _stop_or_continue_worker(self) -> None:
        if self.workers:
            worker = self.rng.choice(self.workers)
            worker.stopped = not worker.stopped

    def _create_anew(self) -> None:
        self.log = SimulatedLog(f"log-{len(self.logs) + 1}", self.rng.choice([1, 2, 3]))
        self.logs[self.log.name] = self.log

    def _step_worker(self) -> None:
        running = [worker for worker in self.workers if not worker.stopped]
        if not running:
            return
        worker, unanswered = self.rng.choice(running), self.store.unanswered
        try:
            worker.step()
        except (LogReplaced, LogTruncated):
            assert worker.log is not self.log
            self._end(worker)
        else:
            if self.store.unanswered > unanswered and self.rng.random() < self._dies_unanswered:
                self._end(worker)

    def _end(self, worker: Worker) -> None:
        worker.kill()
        self.workers.remove(worker)

    def _damage_an_hour(self) -> None:
        damage(self.rng, self.store, self.log, self.hours)

    def _begin_rebuild(self) -> None:
        self.rebuilds.append(rebuild(self.rng, self.store, self.log, self.hours, self._tick))

    def _forge(self) -> None:
        forge(self.rng, self.store, self.log, self.hours, self._tick)

    def _tick(self) -> int:
        self.now += 1_000_000
        return self.now

    def _step_rebuild(self) -> None:
        one = self.rng.choice(self.rebuilds)
        try:
            one.send(None)
        except StopIteration:
            self.rebuilds.remove(one)

    def _step_reader(self) -> None:
        if self.reader is None:
            hour = self.rng.choice(self.hours)
            self.reader = read_and_judge(self.store, self.logs, hour, self.users[hour])
        try:
            self.reader.send(None)
        except StopIteration:
            self.reader = None

    def check(self) -> None:
        """Each hour's answer, if it is read now."""
        for hour in self.hours:
            exhaust(read_and_judge(self.store, self.logs, hour, HourUsers()))

    def finish(self) -> None:
        """Transactions end, the store is kind again; one healthy worker catches up with the current log."""
        self.close()
        for transaction in list(self.log.open):
            self.log.decide(transaction, self._tick(), commits=self.rng.random() < 0.5)
        self.store.deliver_all()
        if not self._crashes_last:
            self.store.crash()
        self.store.hostile = False
        healthy = self._worker(list(range(self.log.partitions)))
        self.workers = [healthy]
        ends = {partition: self.log.end(partition) - 1 for partition in range(self.log.partitions)}
        for _ in range(20_000):
            if all(healthy.has_stored(partition, end) for partition, end in ends.items()):
                break
            healthy.step()
        # What was never acknowledged: whoever counted on it is found out.
        self.store.crash()
        self.check()
        progress = exhaust(self.store.read_progress())
        for source in self.log.sources():
            end = ends[source.partition]
            assert end < 0 or progress[source].through_offset == end
            assert self._raw_actions(source) == [line for line in self.log.lines(source.partition, end) if line]

    def _raw_actions(self, source: Any) -> list[Action]:
        return [
            action for (key, _), action in sorted(self.store.actions.items(), key=lambda item: item[0]) if key == source
        ]

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        for one in [*self.rebuilds, *filter(None, [self.reader])]:
            one.close()


def run(seed: int) -> None:
    simulation = Simulation(seed)
    try:
        for _ in range(3):
            simulation.produce()
        seen = -1
        busy = simulation.rng.randint(150, 900)
        for number in range(busy + simulation.silence):
            simulation.is_silent = number >= busy
            simulation.step()
            if simulation.store.changes != seen:
                seen = simulation.store.changes
                simulation.check()
        simulation.finish()
    finally:
        simulation.close()
