"""A publisher on fake connections, and waiting for a condition."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

from confluent_kafka import KafkaError

from contract.action import Action
from contract.errors import LogError
from ingest_api.kafka_connection import Connection, Delivery
from ingest_api.kafka_publisher import KafkaPublisher
from ingest_api.metrics import Metrics
from ingest_api.outgoing import OutgoingRecord
from ingest_api.settings import IngestSettings

TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)  # noqa: SLF001 - that is its public name
PARTITIONS = 4


class FakeConnection:
    """A connection whose deliveries the test reports."""

    def __init__(
        self, _: dict[str, Any], on_delivered: Callable[[Delivery], None], on_fatal: Callable[[Connection], None]
    ) -> None:
        self.on_delivered = on_delivered
        self.on_fatal = on_fatal
        self.sent: list[tuple[int, int, bytes]] = []
        self.waiting: list[OutgoingRecord] = []
        self.room = 1_000_000
        self.refusal: Exception | None = None
        self.partitions: int | LogError = PARTITIONS
        self.acknowledges = True
        self.looks = 0
        self.closed = False

    def send(self, _: str, record: OutgoingRecord) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.room == 0:
            raise BufferError("full")
        self.room -= 1
        self.sent.append((record.partition, record.partitions, record.value()))
        self.waiting.append(record)
        if self.acknowledges:
            asyncio.get_running_loop().call_soon(self.deliver)

    def report(self, error: KafkaError | None = None) -> None:
        """What became of the latest record."""
        self.on_delivered((self.waiting.pop(), error))

    def deliver(self, error: KafkaError | None = None) -> None:
        while self.waiting:
            self.on_delivered((self.waiting.pop(0), error))

    def partitions_of(self, _: str, __: float) -> int:
        self.looks += 1
        if isinstance(self.partitions, LogError):
            raise self.partitions
        return self.partitions

    def close(self, _: float) -> None:
        self.closed = True


class World:
    """A publisher on fake connections."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - settings are of many types
        self.connections: list[FakeConnection] = []
        self.metrics = Metrics()
        self.start_with: int | LogError = PARTITIONS
        self.publisher = KafkaPublisher(
            IngestSettings(ingest_linger=timedelta(milliseconds=1), **settings), self.metrics, self._connect
        )

    def _connect(
        self, config: dict[str, Any], on_delivered: Callable[[Delivery], None], on_fatal: Callable[[Connection], None]
    ) -> Connection:
        self.connections.append(FakeConnection(config, on_delivered, on_fatal))
        self.connections[-1].partitions = self.start_with
        return self.connections[-1]

    @property
    def connection(self) -> FakeConnection:
        return self.connections[-1]

    def in_flight_bytes(self) -> float | None:
        return self.metrics.registry.get_sample_value("collector_ingest_in_flight_bytes")

    async def sent(self, count: int) -> None:
        await until(lambda: len(self.connection.sent) >= count)

    async def looks(self, more: int) -> None:
        """Returns once the topic was looked at so many times more; the last look may not be noted yet."""
        before = self.connection.looks
        await until(lambda: self.connection.looks > before + more)

    async def __aenter__(self) -> Self:
        await self.publisher.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.publisher.close()


class Turns:
    """Takes each turn that the event loop gives to others."""

    def __init__(self) -> None:
        self._taken = 0
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        while True:
            self._taken += 1
            await asyncio.sleep(0)

    def taken(self) -> int:
        """How many there were."""
        self._task.cancel()
        return self._taken


async def until(condition: Callable[[], bool]) -> None:
    """Returns once it is so; the test's time limit is the bound."""
    while not condition():  # noqa: ASYNC110 - conditions are of many kinds, no event tells of them
        await asyncio.sleep(0.001)


def action(user: str = "u") -> Action:
    return Action(1, user, "click")
