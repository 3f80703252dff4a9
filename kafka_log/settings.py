"""Where the log is, and how its brokers are spoken to."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kafka_log.security import KafkaSecurity


class LogAddress(BaseSettings):
    """Where the log is."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    kafka_bootstrap: str = Field(
        "127.0.0.1:9092", min_length=1, description="Kafka brokers, host:port, separated by commas"
    )
    topic: str = Field("actions", min_length=1, description="The topic of actions")


class KafkaSettings(KafkaSecurity, LogAddress):
    """All that a client of the log needs. From the environment: COLLECTOR_ and a field's name in capitals."""
