"""What all clients of ours have in common, and what is kept of the errors that no answer tells."""

import logging
import re
from typing import Any, Final

from confluent_kafka import KafkaError

from kafka_log.repeated_lines import RepeatedLines
from kafka_log.settings import KafkaSettings

CLIENT_LOG: Final = logging.getLogger("kafka_log.librdkafka")
"""Where librdkafka writes to. A client that is refused tries three times a second, and says so each time."""
CLIENT_LOG.addFilter(RepeatedLines())

_REFUSALS: Final = {KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001 - the package's own names for them


def client_config(kafka: KafkaSettings, client_id: str) -> dict[str, Any]:
    """Librdkafka's configuration: where brokers are, how they are spoken to, and who we are."""
    return {
        "bootstrap.servers": kafka.kafka_bootstrap,
        "client.id": client_id,
        # To ask about a topic must not create it, whatever the broker's settings are.
        "allow.auto.create.topics": False,
        **kafka.librdkafka(),
    }


class Refusal:
    """Why brokers last refused a client's connections: a question that it then asks just is not answered in time."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def note(self, error: KafkaError) -> None:
        """Takes what librdkafka hands to its `error_cb`."""
        if error.code() in _REFUSALS:
            # How long it took is another number each time.
            self.reason = re.sub(r" \(after \d+ms in state [^)]*\)", "", error.str())

    def clear(self) -> None:
        """An answer came."""
        self.reason = None
