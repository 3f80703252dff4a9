"""librdkafka's producer, and the thread that hears what became of its records."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from contract.errors import LogUnavailable, LogUnfit
from contract.record import PARTITIONS_HEADER
from ingest_api.outgoing import OutgoingRecord

logger = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.1
"""How soon the thread sees that it shall end; deliveries wake it at once."""

Delivery = tuple[OutgoingRecord, KafkaError | None]


class KafkaConnection:
    """One producer. Its reports reach the event loop in bursts: one wake-up for all that came meanwhile."""

    def __init__(
        self,
        config: dict[str, Any],
        on_delivered: Callable[[Delivery], None],
        on_fatal: "Callable[[KafkaConnection], None]",
    ) -> None:
        """Both callbacks are called on the running event loop.

        `on_fatal`: librdkafka can no longer promise that records are written once and in order; it refuses all others.
        """
        self._loop = asyncio.get_running_loop()
        self._on_delivered = on_delivered
        self._on_fatal = on_fatal
        self._deliveries: deque[Delivery] = deque()
        self._woken = False
        self._ending = False
        self._producer = Producer({**config, "error_cb": self._on_error}, logger=logger)
        self._thread = Thread(target=self._serve, name="kafka-deliveries", daemon=True)
        self._thread.start()

    def send(self, topic: str, record: OutgoingRecord) -> None:
        """Queues a record. Raises BufferError or KafkaException: it was not queued."""
        self._producer.produce(
            topic,
            record.value(),
            partition=record.partition,
            headers=[(PARTITIONS_HEADER, b"%d" % record.partitions)],
            on_delivery=lambda error, _: self._on_delivery((record, error)),
        )

    def partitions_of(self, topic: str, timeout: float) -> int:
        """Asks Kafka how many partitions the topic has; blocks. Raises LogUnfit (no such topic) or LogUnavailable.

        The producer learns the answer as well, so it knows each partition that it will be given.
        """
        try:
            metadata = self._producer.list_topics(topic, timeout=timeout).topics[topic]
        except KafkaException as error:
            raise LogUnavailable(f"Kafka does not answer: {error.args[0].str()}") from error
        if metadata.error is None:
            return len(metadata.partitions)
        if metadata.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise LogUnfit(f"topic {topic!r} does not exist")
        raise LogUnavailable(f"topic {topic!r} cannot be used: {metadata.error.str()}")

    def close(self, timeout: float) -> None:
        """Waits until all that was sent is delivered or given up, `timeout` seconds at most; blocks."""
        self._producer.flush(timeout)
        self._ending = True
        self._thread.join()

    def _serve(self) -> None:
        while not self._ending:
            self._producer.poll(_POLL_SECONDS)

    def _on_error(self, error: KafkaError) -> None:
        logger.warning("Kafka: %s", error.str())
        if error.fatal():
            self._loop.call_soon_threadsafe(self._on_fatal, self)

    def _on_delivery(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery)
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # Lowered before the queue is emptied: a report that comes in between wakes the loop again.
        self._woken = False
        while self._deliveries:
            self._on_delivered(self._deliveries.popleft())
