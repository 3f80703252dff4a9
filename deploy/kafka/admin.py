"""Kafka's admin client, and what its errors mean."""

from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from contract.errors import LogUnavailable
from kafka_log.client import CLIENT_LOG, Refusal, client_config
from kafka_log.errors import refused
from kafka_log.settings import KafkaSettings

SECONDS: Final = 10.0
"""How long one request may take."""


class KafkaAdmin:
    """One client, and why brokers refused its connections."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """Connections are made when first needed."""
        self._refusal = Refusal()
        self.client = AdminClient(
            client_config(kafka, "provision") | {"error_cb": self._refusal.note}, logger=CLIENT_LOG
        )

    def explained(self, what: str, error: KafkaException) -> LogUnavailable:
        """What a request's error means, which was about `what`."""
        # Errors of connections wait until they are asked for.
        self.client.poll(0)
        if self._refusal.reason is not None:
            return LogUnavailable(refused(self._refusal.reason))
        return LogUnavailable(f"{what}: {error.args[0].str()}")
