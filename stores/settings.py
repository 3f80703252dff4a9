"""Which store, and where it is: the settings of all who open one."""

from enum import StrEnum

from pydantic import Field

from stores.cassandra.settings import CassandraSettings
from stores.influx.settings import InfluxSettings


class StoreKind(StrEnum):
    """The stores that there are."""

    INFLUX = "influx"
    CASSANDRA = "cassandra"


class StoreSettings(InfluxSettings, CassandraSettings):
    """The settings of both stores, whichever is used. From the environment: COLLECTOR_ and a field in capitals."""

    store: StoreKind = Field(StoreKind.INFLUX, description="Where results live: `influx` or `cassandra`")
