"""One test's own topic, buckets and workers, and the numbers they should come to."""

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from contract.hour import hour_of
from contract.log.action import Action, encode_action
from contract.log.partitioning import partition_of
from contract.log.progress import LogPartition, Progress
from stores.influx.schema import MS
from stores.influx.settings import InfluxSettings
from support.pipeline.eventually import WITHIN, eventually_stored
from support.pipeline.oracle import Numbers, numbers_of
from support.pipeline.stored import stored_numbers, stored_raw_lines
from support.product.worker_process import WorkerProcess
from support.services.kafka_admin import log_of_topic
from support.stores.environment import AnySettings, environment_of_store
from support.stores.subject import store_of

PARTITIONS = 4


def now() -> int:
    """Ms since the epoch."""
    return time.time_ns() // MS


@cache
def this_hour() -> int:
    """The hour in which a run's first test asked: for all tests, though it may be over before their end."""
    return hour_of(now())


class Pipeline:
    """Appends actions to the topic, runs workers, and reads what the store holds."""

    def __init__(self, bootstrap: str, settings: AnySettings, topic: str, rejected_topic: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.settings = settings
        self.topic = topic
        self.rejected_topic = rejected_topic
        self.group = f"workers-{secrets.token_hex(4)}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self.store = store_of(settings)
        self.log = log_of_topic(self.admin, topic)
        self.this_hour = this_hour()
        self.lines: dict[int, list[Action]] = defaultdict(list)
        """Valid lines in the order of each partition's log."""
        self.ends: dict[int, int] = {}
        """The last offset that was appended to each partition."""
        self.workers: list[WorkerProcess] = []
        self._folder = folder
        self._producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, "log_level": 0})

    @property
    def influx(self) -> InfluxSettings:
        """Where its InfluxDB is, which most pipelines have."""
        assert isinstance(self.settings, InfluxSettings)
        return self.settings

    def worker(self, **settings: str) -> WorkerProcess:
        """A worker that is not started yet; `settings` without their prefix."""
        environment = {
            "kafka_bootstrap": self.bootstrap,
            "topic": self.topic,
            "rejected_topic": self.rejected_topic,
            "consumer_group": self.group,
            # The shortest that Kafka allows.
            "worker_session_timeout": "PT6S",
            "worker_flush_interval": "PT0.1S",
        } | settings
        worker = WorkerProcess(
            f"worker-{len(self.workers) + 1}",
            self._folder,
            {
                **environment_of_store(self.settings),
                **{f"COLLECTOR_{name.upper()}": value for name, value in environment.items()},
            },
        )
        self.workers.append(worker)
        return worker

    def started(self, **settings: str) -> WorkerProcess:
        """A worker that is ready."""
        worker = self.worker(**settings)
        worker.start()
        worker.wait_until_ready()
        return worker

    def replacement(self, **settings: str) -> WorkerProcess:
        """A worker that is ready, for one that was killed.

        In a group of its own: so it does not wait for the killed one's session. The store says where to resume.
        """
        return self.started(consumer_group=f"{self.group}-{len(self.workers)}", **settings)

    def append(
        self, value: bytes | None, partition: int = 0, header: bytes | None = b"4", name: str = "partitions"
    ) -> None:
        """One record, whatever it holds; `acknowledged` waits for it."""
        headers: list[tuple[str, str | bytes | None]] = [] if header is None else [(name, header)]
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
        assert self._producer.flush(60) == 0

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
            through = await self.through()
            return all(through.get(partition, -1) >= end for partition, end in self.ends.items())

        await eventually_stored(is_counted, within, lambda: f"of {self.ends}\n{self.logs()}")

    async def moved(self, before: dict[int, int]) -> None:
        """Returns once more is stored than `before`."""

        async def has_moved() -> bool:
            return await self.through() != before

        await eventually_stored(has_moved, WITHIN, self.logs)

    def expected(self) -> dict[int, Numbers]:
        """The numbers of each hour, counted independently of the product's fold."""
        return numbers_of(self.lines)

    async def numbers(self) -> dict[int, Numbers]:
        """The stored numbers of each hour that has actions."""
        return {hour: await self.numbers_of_hour(hour) for hour in self.expected()}

    async def numbers_of_hour(self, hour: int) -> Numbers:
        return await stored_numbers(self.store, self.log, hour)

    def expected_raw_lines(self) -> dict[LogPartition, int]:
        """How many raw actions it should have: all valid lines that are young enough."""
        oldest = now() - self.settings.raw_age_ms
        young = {
            LogPartition(self.log, partition): sum(action.timestamp >= oldest for action in lines)
            for partition, lines in self.lines.items()
        }
        return {source: number for source, number in young.items() if number}

    def topic_recreated(self, log: str) -> None:
        """From here on the topic is a new, empty log."""
        self.log = log
        self.lines.clear()
        self.ends.clear()

    async def is_exact(self) -> None:
        """Fails unless each hour's numbers are right, each line has its number, and each young one is there once."""
        assert await self.numbers() == self.expected()
        progress = await self.progress()
        valid = {p: one.lines - one.lost - sum(one.rejected.values()) for p, one in progress.items()}
        assert {p: number for p, number in valid.items() if number} == {
            p: len(lines) for p, lines in self.lines.items()
        }
        assert await stored_raw_lines(self.settings, self.log) == self.expected_raw_lines()

    def logs(self) -> str:
        return "\n".join(f"{worker.name}:\n{worker.log_tail()}" for worker in self.workers)

    async def close(self) -> None:
        for worker in self.workers:
            worker.end_if_alive()
        await self.store.close()
