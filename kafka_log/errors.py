"""What the Kafka library's errors mean to us."""

from confluent_kafka import KafkaError

from contract.errors import LogUnavailable, LogUnfit


def explain(topic: str, error: KafkaError) -> LogUnavailable | LogUnfit:
    """What an error of librdkafka's about a topic means to us."""
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return LogUnfit(f"topic {topic!r} does not exist: create it with message.timestamp.type=LogAppendTime")
    return LogUnavailable(f"Kafka did not answer about topic {topic!r}: {error.str()}")
