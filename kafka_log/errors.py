"""What the Kafka library's errors mean to us."""

from typing import Final

from confluent_kafka import KafkaError

from contract.errors import LogUnavailable, LogUnfit

FORBIDDEN: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


def ends_producer(error: KafkaError) -> bool:
    """Whether the producer that gave it is of no more use: its user may not write, for example."""
    # Raised later, the same error is told by the package's own code for it.
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 - the package has no other name for it


def explain(topic: str, error: KafkaError, refusal: str | None = None) -> LogUnavailable | LogUnfit:
    """What an error of librdkafka's about a topic means to us; `refusal`: why brokers refused the connection."""
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return LogUnfit(f"topic {topic!r} does not exist: create it with message.timestamp.type=LogAppendTime")
    if error.code() in FORBIDDEN:
        return LogUnavailable(f"Kafka does not allow this user what it asks of topic {topic!r}: {error.str()}")
    if refusal is not None:
        return LogUnavailable(refused(refusal))
    return LogUnavailable(f"Kafka did not answer about topic {topic!r}: {error.str()}")


def refused(reason: str) -> str:
    """What is said where brokers refuse the connection."""
    return f"Kafka refuses the connection: {reason}"
