"""Where InfluxDB is, and what of it is ours to decide."""

from datetime import timedelta
from typing import Self

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class InfluxSettings(BaseSettings):
    """The store's settings, from the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    influx_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8086"), description="InfluxDB's address")
    influx_token: SecretStr = Field(
        SecretStr("collector:collector"), description="API token; for 1.8 the user, a colon and the password"
    )
    influx_org: str = Field("-", min_length=1, description="Organization; for 1.8 a dash")
    raw_bucket: str = Field("actions/autogen", description="Bucket of raw actions: database/retention policy")
    hourly_bucket: str = Field("hourly/autogen", description="Bucket of results: database/retention policy")
    raw_storage: bool = Field(default=True, description="Whether raw actions are stored at all")
    raw_retention: timedelta = Field(
        timedelta(days=30), ge=timedelta(hours=1), description="How long raw actions are kept"
    )
    raw_retention_margin: timedelta = Field(
        timedelta(hours=1), ge=timedelta(0), description="Raw actions this close to the retention's end are not sent"
    )
    influx_timeout: timedelta = Field(
        timedelta(seconds=30), gt=timedelta(0), description="Time limit for a request and its whole answer"
    )
    influx_connect_timeout: timedelta = Field(
        timedelta(seconds=5), gt=timedelta(0), description="Time limit for connecting"
    )
    influx_connections: int = Field(4, ge=1, le=64, description="Maximum number of concurrent requests")
    influx_gzip: bool = Field(default=False, description="Compress what is sent: slower on a fast network")

    @model_validator(mode="after")
    def _margin_within_retention(self) -> Self:
        if self.raw_retention_margin >= self.raw_retention:
            raise ValueError(
                f"COLLECTOR_RAW_RETENTION_MARGIN {self.raw_retention_margin} is not below COLLECTOR_RAW_RETENTION "
                f"{self.raw_retention}"
            )
        return self
