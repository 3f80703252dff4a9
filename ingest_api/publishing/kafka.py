"""Publishing to Kafka: actions become records, and are acknowledged together with those that share their record."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError

from contract.errors import LogUnavailable
from contract.log.action import Action
from contract.log.position import Position
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.metrics import Metrics
from ingest_api.publishing.accumulator import AllDelivered, Lines, NewRecord, OutgoingRecord, RecordAccumulator
from ingest_api.publishing.connection import Connect, Connection, Delivery, KafkaConnection, Place
from ingest_api.publishing.memory_budget import MemoryBudget
from ingest_api.publishing.partitioning import group_by_partition
from ingest_api.publishing.publisher import OnDelivered, Outcome
from ingest_api.publishing.topic_metadata import TopicMetadata
from ingest_api.settings import IngestSettings
from kafka_log.errors import FORBIDDEN

logger = logging.getLogger(__name__)

_METADATA_SECONDS: Final = 2.0
_FORBIDDEN_SECONDS: Final = 5.0
"""How soon a connection is tried again whose user may not write, and how long the next one must last to be trusted."""
AT_ONCE: Final = 2_000
"""So many actions become lines in about a millisecond, in three where users are hashed; then others have a turn."""
_LATE_SECONDS: Final = 3.0
"""librdkafka looks for records that are out of time about once a second."""


class _Forbidden(NamedTuple):
    """A connection whose user may not write the topic."""

    connection: Connection
    reason: str


class KafkaPublisher:
    """A Publisher whose log is a Kafka topic."""

    def __init__(
        self,
        settings: IngestSettings,
        metrics: Metrics,
        connect: Connect = KafkaConnection,
        new_record: NewRecord = OutgoingRecord,
    ) -> None:
        """Opens nothing yet."""
        self._settings = settings
        self._metrics = metrics
        self._open = connect
        self._budget = MemoryBudget(settings.ingest_max_in_flight_bytes, "lines not yet acknowledged")
        self._outgoing = RecordAccumulator(self._send, settings.ingest_linger.total_seconds(), new_record)
        self._topic = TopicMetadata(self._count_partitions, settings.ingest_metadata_refresh.total_seconds())
        self._in_flight: set[OutgoingRecord] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection: Connection | None = None
        self._log: str | None = None
        self._forbidden: _Forbidden | None = None
        metrics.in_flight_bytes.set_function(lambda: self._budget.used)
        metrics.in_flight_limit_bytes.set(settings.ingest_max_in_flight_bytes)

    async def start(self) -> None:
        self._connection = self._connect()
        self._topic.start()
        # Who is sent here next is served then. Without Kafka all are refused, with the reason.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._topic.answered(), self._settings.ingest_delivery_timeout.total_seconds())

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        if self._topic.partitions is None:
            self._start_task(self._submit_once_known(actions, on_delivered))
        elif len(actions) > AT_ONCE:
            self._start_task(self._submit_many(actions, self._topic.partitions, on_delivered))
        else:
            self._hand_over(group_by_partition(actions, self._topic.partitions), self._topic.partitions, on_delivered)

    async def unavailable_reason(self) -> str | None:
        unavailable_reason = await self._topic.unavailable_reason()
        return unavailable_reason or (self._forbidden.reason if self._forbidden else None)

    async def close(self) -> None:
        self._outgoing.flush()
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.gather(self._topic.close(), self._close(connection), *self._tasks)
        for record in list(self._in_flight):
            self._finish(record, OutcomeUnknown("the process ended before Kafka acknowledged"))

    async def _submit_once_known(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        unavailable_reason = await self._topic.unavailable_reason()
        if self._topic.partitions is None:
            on_delivered(NotPublished(unavailable_reason or "the topic is not known yet"))
            return
        await self._submit_many(actions, self._topic.partitions, on_delivered)

    async def _submit_many(self, actions: Sequence[Action], partitions: int, on_delivered: OnDelivered) -> None:
        grouped: list[Lines] = []
        for first in range(0, len(actions), AT_ONCE):
            if grouped:
                await asyncio.sleep(0)
            grouped += group_by_partition(actions[first : first + AT_ONCE], partitions)
        try:
            self._hand_over(grouped, partitions, on_delivered)
        except NotPublished as error:
            on_delivered(NotPublished(str(error)))

    def _hand_over(self, grouped: list[Lines], partitions: int, on_delivered: OnDelivered) -> None:
        self._budget.reserve(sum(len(lines.text) for lines in grouped))
        self._outgoing.add(
            grouped, partitions, on_delivered if len(grouped) == 1 else AllDelivered(len(grouped), on_delivered)
        )

    def _count_partitions(self) -> int:
        """Called off the event loop."""
        if self._connection is None:
            raise LogUnavailable("this process is stopping")
        partitions = self._connection.partitions_of(self._settings.topic, _METADATA_SECONDS)
        self._log = self._connection.log_of(self._settings.topic, _METADATA_SECONDS)
        return partitions

    def _send(self, record: OutgoingRecord) -> None:
        self._in_flight.add(record)
        if self._connection is None:
            self._finish(record, NotPublished("this process is stopping"))
            return
        try:
            self._connection.send(self._settings.topic, record)
        except Exception as error:  # noqa: BLE001 - whatever it raises, it queued nothing, and others wait behind it
            reason = self._forbidden.reason if self._forbidden else f"Kafka's queue refuses more: {error}"
            self._finish(record, NotPublished(reason))
        else:
            self._metrics.record_lines.observe(record.lines)
            record.forget_text()  # librdkafka holds its own copy

    def _on_delivered(self, delivery: Delivery) -> None:
        record, error, place = delivery
        if error is None:
            self._finish(record, self._position_of(record, place))
        else:
            self._finish(record, OutcomeUnknown(f"Kafka did not acknowledge: {error.str()}"))

    def _position_of(self, record: OutgoingRecord, place: Place | None) -> Position | None:
        if place is None or self._log is None:
            return None
        offset, appended = place
        return Position(self._log, appended, {record.partition: offset})

    def _finish(self, record: OutgoingRecord, outcome: Outcome) -> None:
        self._in_flight.remove(record)
        self._budget.release(record.size)
        record.settle(outcome)

    def _connect(self) -> Connection:
        return self._open(self._settings, self._on_delivered, self._replace)

    def _replace(self, broken: Connection, error: KafkaError) -> None:
        if error.code() not in FORBIDDEN:
            logger.error("librdkafka's producer cannot go on: %s; another one takes over", error.str())
            self._take_over(broken)
            return
        # The next one would end at once, too: until somebody gives this user the right.
        reason = f"Kafka does not allow this user to write topic {self._settings.topic!r}: {error.str()}"
        if self._forbidden is None:
            logger.error("%s; this is tried again every %.0f s", reason, _FORBIDDEN_SECONDS)
        self._forbidden = _Forbidden(broken, reason)
        asyncio.get_running_loop().call_later(_FORBIDDEN_SECONDS, self._take_over, broken)

    def _take_over(self, broken: Connection) -> None:
        if self._connection is broken:
            self._connection = self._connect()
            self._start_task(self._close(broken))
            asyncio.get_running_loop().call_later(_FORBIDDEN_SECONDS, self._trust, self._connection)

    def _trust(self, connection: Connection) -> None:
        """A connection was not refused so far: the one before is forgotten."""
        if self._connection is connection and self._forbidden and self._forbidden.connection is not connection:
            logger.info("Kafka allows this user to write again")
            self._forbidden = None

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self, connection: Connection) -> None:
        longest = self._settings.ingest_delivery_timeout.total_seconds() + _LATE_SECONDS
        await asyncio.to_thread(connection.close, longest)
