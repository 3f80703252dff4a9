"""The topic for rejected lines: what was refused, why, and where it stood."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from contract.errors import LogUnavailable
from kafka_log.client import CLIENT_LOG
from kafka_log.errors import ends_producer
from kafka_log.producer import producer_config, wait_for_deliveries
from kafka_log.settings import KafkaSettings
from stream_workers.partition.decoded import RejectedLine

MAX_VALUE: Final = 64 * 1024
"""A rejected line is kept up to so many bytes; the header `size` tells its original size."""

DELIVER_WITHIN: Final = 10.0


class RejectedTopic:
    """Publishes rejected lines with acks=all."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        return Producer(
            producer_config(
                self._kafka,
                "stream-worker-rejected",
                timedelta(seconds=DELIVER_WITHIN),
                compression_type="lz4",
                linger_ms=5,
                # Sooner than lines are out of time: a topic that is missing must be told from a broker that is away.
                topic_metadata_propagation_max_ms=round(DELIVER_WITHIN * 500),
            ),
            logger=CLIENT_LOG,
        )

    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        await asyncio.to_thread(self._publish, lines)

    def _publish(self, lines: Sequence[RejectedLine]) -> None:
        failures: list[KafkaError] = []

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures.append(error)

        try:
            for line in lines:
                self._produce(line, on_delivery)
            waiting = wait_for_deliveries(self._producer, DELIVER_WITHIN + 1)
        except KafkaException as error:
            if ends_producer(error.args[0]):
                self._producer = self._new_producer()
            raise LogUnavailable(f"topic {self._topic!r}: {error.args[0].str()}") from error
        if failures or waiting:
            reason = failures[0].str() if failures else f"{waiting} lines unacknowledged"
            raise LogUnavailable(f"topic {self._topic!r} did not take {len(lines)} rejected lines: {reason}")

    def _produce(self, line: RejectedLine, on_delivery: Callable[[KafkaError | None, Message], None]) -> None:
        headers = {
            "code": line.code,
            "log": line.source.log,
            "partition": str(line.source.partition),
            "offset": str(line.offset),
            "line": str(line.line),
            "size": str(len(line.value)),
        }
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    value=line.value[:MAX_VALUE],
                    headers=[(name, text.encode()) for name, text in headers.items()],
                    on_delivery=on_delivery,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return
