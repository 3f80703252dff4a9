"""A topic, a store and workers between them that only one test knows, and what they should come to."""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from kafka_admin import log_of_topic
from services.worker_process import WorkerProcess

from contract.action import Action, encode_action
from contract.hour import hour_of
from contract.partitioning import partition_of
from contract.progress import LogPartition, Progress
from stores.committed import read_committed
from stores.influx import InfluxStore
from stores.influx_connection import InfluxConnection
from stores.influx_schema import MS, Bucket
from stores.settings import InfluxSettings

T = TypeVar("T")
PARTITIONS = 4
WITHIN = 60.0


class Numbers(NamedTuple):
    """What an hour comes to."""

    counts: dict[str, int]
    duplicates: int
    unique_users: int


async def eventually(condition: Callable[[], T], within: float = WITHIN) -> T:
    """What `condition` gives once that is true; fails after `within` seconds."""

    async def look() -> T:
        return condition()

    return await _eventually(look, within, lambda: "")


async def _eventually(look: Callable[[], Awaitable[T]], within: float, evidence: Callable[[], str]) -> T:
    deadline = time.monotonic() + within
    while not (found := await look()):
        assert time.monotonic() < deadline, f"not so after {within} s: {found!r} {evidence()}"
        await asyncio.sleep(0.05)
    return found


def now() -> int:
    """Ms since the epoch."""
    return time.time_ns() // MS


class Pipeline:
    """Appends actions to the topic, runs workers, and reads what the store holds."""

    def __init__(self, bootstrap: str, influx: InfluxSettings, topic: str, rejected_topic: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.influx = influx
        self.topic = topic
        self.rejected_topic = rejected_topic
        self.group = f"workers-{secrets.token_hex(4)}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self.store = InfluxStore(influx, now)
        self.log = log_of_topic(self.admin, topic)
        self.this_hour = hour_of(now())
        self.lines: dict[int, list[Action]] = defaultdict(list)
        """Valid lines in the order of each partition's log."""
        self.ends: dict[int, int] = {}
        """The last offset that was appended to each partition."""
        self.workers: list[WorkerProcess] = []
        self._folder = folder
        self._producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, "log_level": 0})

    def worker(self, **settings: str) -> WorkerProcess:
        """A worker that is not started yet; `settings` without their prefix."""
        environment = {
            "kafka_bootstrap": self.bootstrap,
            "topic": self.topic,
            "rejected_topic": self.rejected_topic,
            "consumer_group": self.group,
            "influx_url": str(self.influx.influx_url),
            "raw_bucket": self.influx.raw_bucket,
            "hourly_bucket": self.influx.hourly_bucket,
            # The shortest that Kafka allows.
            "worker_session_timeout": "PT6S",
            "worker_flush_interval": "PT0.1S",
        } | settings
        worker = WorkerProcess(
            f"worker-{len(self.workers) + 1}",
            self._folder,
            {f"COLLECTOR_{name.upper()}": value for name, value in environment.items()},
        )
        self.workers.append(worker)
        return worker

    def started(self, **settings: str) -> WorkerProcess:
        """A worker that is ready."""
        worker = self.worker(**settings)
        worker.start()
        worker.wait_until_ready()
        return worker

    def append(self, value: bytes | None, partition: int = 0, header: bytes | None = b"4") -> None:
        """One record, whatever it holds; `acknowledged` waits for it."""
        headers: list[tuple[str, str | bytes | None]] = [] if header is None else [("partitions", header)]
        while True:
            try:
                self._producer.produce(
                    self.topic, value, partition=partition, headers=headers, on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(1)
            else:
                return

    def send(self, actions: Iterable[Action], lines: int = 100) -> None:
        """Actions in records of so many lines, each on its user's partition; returns when they are acknowledged."""
        by_partition = defaultdict(list)
        for action in actions:
            by_partition[partition_of(action.user, PARTITIONS)].append(action)
        for partition, mine in by_partition.items():
            self.lines[partition] += mine
            for first in range(0, len(mine), lines):
                self.append(b"\n".join(map(encode_action, mine[first : first + lines])), partition)
        self.acknowledged()

    def acknowledged(self) -> None:
        """Returns when all that was appended is acknowledged."""
        assert self._producer.flush(30) == 0

    def _delivered(self, error: object, message: object) -> None:
        assert error is None
        self.ends[message.partition()] = message.offset()  # type: ignore[attr-defined] # a confluent_kafka.Message

    async def progress(self, log: str | None = None) -> dict[int, Progress]:
        """Each partition's progress in the topic's log, or in another."""
        found = await self.store.read_progress()
        return {source.partition: progress for source, progress in found.items() if source.log == (log or self.log)}

    async def through(self) -> dict[int, int]:
        """Each partition's last offset that is stored."""
        return {partition: progress.through_offset for partition, progress in (await self.progress()).items()}

    async def counted(self, within: float = WITHIN) -> None:
        """Returns once all that was appended is stored."""

        async def is_counted() -> bool:
            return self.ends.items() <= (await self.through()).items()

        await _eventually(is_counted, within, lambda: f"of {self.ends}\n{self.logs()}")

    async def moved(self, before: dict[int, int]) -> None:
        """Returns once more is stored than `before`."""

        async def has_moved() -> bool:
            return await self.through() != before

        await _eventually(has_moved, WITHIN, self.logs)

    def expected(self) -> dict[int, Numbers]:
        """What each hour should come to: counted here, apart from the product's fold."""
        return numbers_of(self.lines)

    async def numbers(self) -> dict[int, Numbers]:
        """What the store says of each hour that has actions."""
        return {hour: await self.numbers_of_hour(hour) for hour in self.expected()}

    async def numbers_of_hour(self, hour: int) -> Numbers:
        counts: dict[str, int] = defaultdict(int)
        duplicates = users = 0
        for source, committed in (await read_committed(self.store, hour)).items():
            if source.log == self.log and (window := committed.window) is not None:
                duplicates += window.duplicates
                users += window.unique_users
                for event, count in window.counts.items():
                    counts[event] += count
        return Numbers(dict(counts), duplicates, users)

    async def raw_lines(self) -> dict[LogPartition, int]:
        """How many raw actions the store has of each partition."""
        connection = InfluxConnection(self.influx)
        query = 'SELECT COUNT("user") FROM "actions" GROUP BY "log", "partition"'
        (found,) = await connection.query(Bucket.named(self.influx.raw_bucket), query)
        await connection.close()
        return {
            LogPartition(series.tags["log"], int(series.tags["partition"])): int(series.values[0][1])
            for series in found
        }

    def expected_raw_lines(self) -> dict[LogPartition, int]:
        """How many raw actions it should have: all valid lines that are young enough."""
        oldest = now() - (self.influx.raw_retention - self.influx.raw_retention_margin) / timedelta(milliseconds=1)
        young = {
            LogPartition(self.log, partition): sum(action.timestamp >= oldest for action in lines)
            for partition, lines in self.lines.items()
        }
        return {source: number for source, number in young.items() if number}

    def starts_anew(self, log: str) -> None:
        """The topic was created again: nothing was appended to it yet."""
        self.log = log
        self.lines.clear()
        self.ends.clear()

    async def is_exact(self) -> None:
        """Fails unless each hour's numbers are right."""
        assert await self.numbers() == self.expected()

    def logs(self) -> str:
        return "\n".join(f"{worker.name}:\n{worker.log_tail()}" for worker in self.workers)

    async def close(self) -> None:
        for worker in self.workers:
            worker.end_if_alive()
        await self.store.close()


def numbers_of(lines: dict[int, list[Action]]) -> dict[int, Numbers]:
    """What each hour comes to, by the shortest way."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    users: dict[int, set[str]] = defaultdict(set)
    ids: dict[int, set[tuple[str, str]]] = defaultdict(set)
    duplicates: dict[int, int] = defaultdict(int)
    for action in (action for partition in lines.values() for action in partition):
        hour = hour_of(action.timestamp)
        if action.id is not None and (action.user, action.id) in ids[hour]:
            duplicates[hour] += 1
            continue
        if action.id is not None:
            ids[hour].add((action.user, action.id))
        counts[hour][action.event] += 1
        users[hour].add(action.user)
    return {hour: Numbers(dict(counts[hour]), duplicates[hour], len(users[hour])) for hour in counts}
