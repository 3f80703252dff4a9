"""The settings of all who open a store."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from stores.settings import StoreSettings

NOWHERE = Path("/nowhere/token")


def test_a_token_file_of_influxdb_is_read_only_where_influxdb_is_the_store() -> None:
    StoreSettings(store="cassandra", influx_token_file=NOWHERE)

    with pytest.raises(ValidationError, match="COLLECTOR_INFLUX_TOKEN_FILE=/nowhere/token"):
        StoreSettings(influx_token_file=NOWHERE)
    with pytest.raises(ValidationError, match="COLLECTOR_INFLUX_TOKEN_FILE=/nowhere/token"):
        StoreSettings(store="influx", influx_token_file=NOWHERE)
