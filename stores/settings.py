"""Which store, and where it is: the settings of all who open one."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from stores.cassandra.settings import CassandraSettings
from stores.influx.settings import InfluxSettings
from stores.raw.settings import RawStorage


class StoreKind(StrEnum):
    """The stores that there are."""

    INFLUX = "influx"
    CASSANDRA = "cassandra"


class StoreSettings(InfluxSettings, CassandraSettings):
    """The settings of both stores, whichever is used. From the environment: COLLECTOR_ and a field in capitals."""

    store: StoreKind = Field(StoreKind.INFLUX, description="Where results live: `influx` or `cassandra`")

    @model_validator(mode="after")
    def _raw_actions_that_the_store_takes(self) -> Self:
        if self.store is StoreKind.CASSANDRA and self.raw_storage is RawStorage.POINTS:
            raise ValueError(
                "COLLECTOR_RAW_STORAGE points: in Cassandra, a row for each action costs 40 times as much as packed "
                "ones: `packed` or `off`"
            )
        return self
