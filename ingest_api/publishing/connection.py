"""librdkafka's producer, and the thread that hears what became of its records."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, Final, Protocol

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message, Producer

from contract.errors import LogError
from ingest_api.publishing.accumulator import OutgoingRecord
from ingest_api.publishing.loop_bridge import LoopBridge
from ingest_api.settings import IngestSettings
from kafka_log.client import CLIENT_LOG, Refusal
from kafka_log.errors import explain
from kafka_log.producer import producer_config, wait_for_deliveries
from kafka_log.questions import TopicQuestions
from kafka_log.settings import KafkaSettings

_POLL_SECONDS: Final = 0.1
"""How soon the thread sees that it shall end; deliveries wake it at once."""


Place = tuple[int, int]
"""A record's offset, and when it was appended there, ms since the epoch."""
Delivery = tuple[OutgoingRecord, KafkaError | None, Place | None]
"""A record, why it was not acknowledged, and where it is, as far as Kafka told."""


class Connection(Protocol):
    """A way to Kafka, until `close` or a fatal error."""

    def send(self, topic: str, record: OutgoingRecord) -> None:
        """Queues a record, and reports its delivery later. Raises BufferError or KafkaException: it was not queued."""

    def partitions_of(self, topic: str, timeout: float) -> int:
        """How many partitions the topic has; blocks. Raises LogUnfit (no such topic) or LogUnavailable."""

    def log_of(self, topic: str, timeout: float) -> str | None:
        """The topic's id, None where Kafka does not tell it; blocks."""

    def close(self, timeout: float) -> None:
        """Returns once each record is delivered or given up, or after `timeout` seconds; blocks."""


OnFatal = Callable[[Connection, KafkaError], None]
"""Told that a connection refuses all further records, and why: another one is needed."""


class Connect(Protocol):
    """Opens a connection whose callbacks are called on the running event loop."""

    def __call__(
        self, settings: IngestSettings, on_delivered: Callable[[Delivery], None], on_fatal: OnFatal
    ) -> Connection:
        """Opens one, and waits for nothing."""


def configuration(settings: IngestSettings) -> dict[str, Any]:
    """How this producer is set, beyond what all of ours have in common."""
    return producer_config(
        settings,
        "ingest-api",
        settings.ingest_delivery_timeout,
        compression_type=settings.ingest_compression,
        # Lines have waited for each other already, see RecordAccumulator.
        linger_ms=0,
        # The budget is the bound that callers meet; this one lies above it.
        queue_buffering_max_kbytes=settings.ingest_max_in_flight_bytes // 512,
        topic_metadata_refresh_interval_ms=round(settings.ingest_metadata_refresh.total_seconds() * 1000),
        # Kafka that is back is noticed within a second.
        reconnect_backoff_max_ms=1000,
    )


class KafkaConnection:
    """One librdkafka producer."""

    def __init__(self, settings: IngestSettings, on_delivered: Callable[[Delivery], None], on_fatal: OnFatal) -> None:
        self._loop = asyncio.get_running_loop()
        self._kafka: KafkaSettings = settings
        self._questions: TopicQuestions | None = None
        self._on_fatal = on_fatal
        self._deliveries = LoopBridge(self._loop, on_delivered)
        self._ending = False
        self._refusal = Refusal()
        self._producer = Producer({**configuration(settings), "error_cb": self._refusal.note}, logger=CLIENT_LOG)
        self._thread = Thread(target=self._serve, name="kafka-deliveries", daemon=True)
        self._thread.start()

    def send(self, topic: str, record: OutgoingRecord) -> None:
        self._producer.produce(
            topic,
            record.value(),
            partition=record.partition,
            headers=record.headers(),
            on_delivery=lambda error, message: self._deliveries.put((record, error, _place_of(message))),
        )

    def partitions_of(self, topic: str, timeout: float) -> int:
        # The producer learns the answer as well: so it knows each partition that it will be given.
        try:
            metadata = self._producer.list_topics(topic, timeout=timeout).topics[topic]
        except KafkaException as error:
            raise explain(topic, error.args[0], self._refusal.reason) from error
        if metadata.error is not None:
            raise explain(topic, metadata.error)
        self._refusal.clear()
        return len(metadata.partitions)

    def log_of(self, topic: str, timeout: float) -> str | None:
        # The producer has no question for it.
        if self._questions is None:
            self._questions = TopicQuestions(self._kafka, topic, client_id="ingest-api", within=timeout)
        try:
            return self._questions.describe().log
        except LogError:
            return None

    def close(self, timeout: float) -> None:
        # After a fatal error, which is told once, all records are given up soon.
        with suppress(KafkaException):
            wait_for_deliveries(self._producer, timeout)
        wait_for_deliveries(self._producer, timeout)
        self._ending = True
        self._thread.join()

    def _serve(self) -> None:
        while not self._ending:
            try:
                self._producer.poll(_POLL_SECONDS)
            except KafkaException as error:
                # Only what is fatal is raised, once, and `error_cb` is not called then.
                self._loop.call_soon_threadsafe(self._on_fatal, self, error.args[0])


def _place_of(message: Message) -> Place | None:
    """None for a record that was acknowledged when it was sent again: then the broker names no offset."""
    offset, (kind, appended) = message.offset(), message.timestamp()
    return None if offset is None or kind != TIMESTAMP_LOG_APPEND_TIME else (offset, appended)
