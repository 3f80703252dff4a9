"""Whether a process sends spans. Everything else about them is OpenTelemetry's own variables."""

import os
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.traces.sampling import Sampling, sampling_in


class TraceSettings(BaseSettings):
    """What a process that makes spans has in its settings."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    traces: Literal["off", "otlp"] = Field(
        "off",
        description="Whether spans are sent: `off`, or `otlp`, by OTLP over HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT "
        "says; OpenTelemetry's other variables count as well, see traces.md",
    )

    @property
    def sampling(self) -> Sampling:
        """Which requests are traced."""
        return sampling_in(os.environ)

    @model_validator(mode="after")
    def _can_be_sampled(self) -> Self:
        if self.traces != "off":
            sampling_in(os.environ)
        return self
