"""The settings of the process that keeps `hours`: those of whoever reads hours, and its own."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from aggregator.settings import ReadingSettings
from service.settings import EventSettings
from stores.settings import StoreKind


class RollupSettings(ReadingSettings, EventSettings):
    """The settings of one keeper of the measurement `hours`."""

    port: int = Field(8084, ge=0, le=65_535, description="Port to listen on")

    rollup_interval: timedelta = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often the recent hours' points in `hours` are compared, and at most written",
    )
    rollup_recent: timedelta = Field(
        timedelta(days=31),
        ge=timedelta(hours=2),
        description="How far back hours are compared each time; older ones are compared in turn, a day each time",
    )

    @model_validator(mode="after")
    def _influx(self) -> Self:
        if self.store is not StoreKind.INFLUX:
            raise ValueError(f"COLLECTOR_STORE={self.store}: the measurement `hours` is kept in InfluxDB only")
        return self
