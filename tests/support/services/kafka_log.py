"""What a topic holds."""

import secrets
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

_SECONDS = 60.0


class Read(NamedTuple):
    """One record of the log."""

    partition: int
    value: bytes
    headers: dict[str, bytes]


def _end(consumer: Consumer, source: TopicPartition) -> int:
    """A partition that was just added has no leader for a moment, and Kafka says so."""
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            return int(consumer.get_watermark_offsets(source, timeout=_SECONDS)[1])
        except KafkaException:
            if time.monotonic() > give_up:
                raise


def read_log(bootstrap: str, topic: str, config: Mapping[str, Any] = MappingProxyType({})) -> list[Read]:
    """All records that are in the log now, partition by partition; `config`: how brokers are spoken to."""
    plain = {**config, "bootstrap.servers": bootstrap}
    consumer = Consumer({**plain, "group.id": secrets.token_hex(6), "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
        sources = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
        expected = sum(_end(consumer, source) for source in sources)
        consumer.assign(sources)
        messages = consumer.consume(expected, _SECONDS) if expected else []
        assert len(messages) == expected
        return sorted(
            Read(
                partition=message.partition() or 0,
                value=message.value() or b"",
                headers=dict(message.headers() or []),  # type: ignore[arg-type] # read from Kafka they are a list of pairs
            )
            for message in messages
        )
    finally:
        consumer.close()
