"""How each of our producers is configured: what was acknowledged is not lost, and no retry writes a record twice."""

import time
from datetime import timedelta
from typing import Any, Final

from confluent_kafka import Producer

from kafka_log.client import client_config
from kafka_log.settings import KafkaSettings

_POLL_SECONDS: Final = 0.1


def producer_config(
    kafka: KafkaSettings, client_id: str, delivery_timeout: timedelta, **options: str | float
) -> dict[str, Any]:
    """Librdkafka's configuration; an option's name has `_` for each `.` of librdkafka's."""
    return {
        **client_config(kafka, client_id),
        "acks": "all",
        "enable.idempotence": True,
        "delivery.timeout.ms": round(delivery_timeout.total_seconds() * 1000),
        **{name.replace("_", "."): value for name, value in options.items()},
    }


def wait_for_deliveries(producer: Producer, seconds: float) -> int:
    """Returns once each record is delivered or given up, or after `seconds`; how many are waiting.

    Raises KafkaException where the producer ends by a fatal error. Its own `flush` would go on calling back while that
    exception is raised, and each callback would fail.
    """
    give_up = time.monotonic() + seconds
    while (waiting := len(producer)) and (left := give_up - time.monotonic()) > 0:
        producer.poll(min(left, _POLL_SECONDS))
    return waiting
