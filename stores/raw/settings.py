"""Which raw actions are stored, in whatever store, and how."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class RawStorage(StrEnum):
    """How raw actions are stored."""

    POINTS = "points"
    """Each by itself, for people's queries; in InfluxDB only."""
    PACKED = "packed"
    """Many in one value, compressed, for `collector raw`."""
    OFF = "off"


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class RawSettings(BaseSettings):
    """From the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    # Pydantic's own texts would show the end of what was read, and for stores' settings that may be a token.
    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True, hide_input_in_errors=True)

    raw_storage: Annotated[RawStorage | None, BeforeValidator(_none_if_empty)] = Field(
        None,
        description="How raw actions are stored: `points` (InfluxDB only), `packed` (read by `collector raw`) or "
        "`off`; without it, `points` in InfluxDB and `packed` in Cassandra",
    )
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
