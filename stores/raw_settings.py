"""Which raw actions are stored, in whatever store."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class RawSettings(BaseSettings):
    """From the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    # Pydantic's own texts would show the end of what was read, and for stores' settings that may be a token.
    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True, hide_input_in_errors=True)

    raw_storage: bool = Field(default=True, description="Whether raw actions are stored at all")
    raw_retention: timedelta = Field(
        timedelta(days=30), ge=timedelta(hours=1), description="How long raw actions are kept"
    )
    raw_retention_margin: timedelta = Field(
        timedelta(hours=1), ge=timedelta(0), description="Raw actions this close to the retention's end are not sent"
    )

    @property
    def raw_age_ms(self) -> int:
        """The age, in ms, up to which raw actions are stored."""
        return (self.raw_retention - self.raw_retention_margin) // timedelta(milliseconds=1)

    @model_validator(mode="after")
    def _margin_within_retention(self) -> Self:
        if self.raw_retention_margin >= self.raw_retention:
            raise ValueError(
                f"COLLECTOR_RAW_RETENTION_MARGIN {self.raw_retention_margin} is not below COLLECTOR_RAW_RETENTION "
                f"{self.raw_retention}"
            )
        return self
