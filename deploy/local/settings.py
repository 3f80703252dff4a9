"""What can be set for the local stack beside its services' own settings."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """From the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    topic: str = Field("actions", description="The topic of actions")
    rejected_topic: str = Field("actions.rejected", description="The topic of rejected lines")
    local_partitions: int = Field(8, ge=1, le=1000, description="Partitions of the topic of actions at its creation")
    local_log_retention: timedelta = Field(
        timedelta(days=30), gt=timedelta(0), description="How long Kafka keeps records: the log is the source of truth"
    )
