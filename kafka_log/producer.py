"""How each of our producers is configured: what was acknowledged is not lost, and no retry writes a record twice."""

from datetime import timedelta
from typing import Any

from kafka_log.client import client_config
from kafka_log.settings import KafkaSettings


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
