import subprocess
import sys

import pytest
from pydantic import ValidationError

from stores.cassandra.store import CassandraStore
from stores.influx.store import InfluxStore
from stores.opening import open_store
from stores.settings import StoreSettings

OTHER_CLIENT = {"influx": "cassandra.cluster", "cassandra": "influxdb_client"}


@pytest.mark.parametrize(("named", "kind"), [("influx", InfluxStore), ("cassandra", CassandraStore)])
def test_the_setting_chooses_the_store(monkeypatch: pytest.MonkeyPatch, named: str, kind: type) -> None:
    assert isinstance(open_store(StoreSettings(), lambda: 0), InfluxStore)
    monkeypatch.setenv("COLLECTOR_STORE", named)
    assert isinstance(open_store(StoreSettings(), lambda: 0), kind)


@pytest.mark.parametrize("service", ["aggregator", "stream_workers"])
@pytest.mark.parametrize("named", ["influx", "cassandra"])
def test_a_service_loads_the_client_of_its_own_store_only(service: str, named: str) -> None:
    program = f"""
import sys
import {service}.__main__
from stores.opening import open_store
from stores.settings import StoreSettings
open_store(StoreSettings(store={named!r}), lambda: 0)
sys.exit({OTHER_CLIENT[named]!r} in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("named", ["packed", "off", ""])
def test_in_cassandra_raw_actions_are_packed_or_off(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("COLLECTOR_STORE", "cassandra")
    monkeypatch.setenv("COLLECTOR_RAW_STORAGE", named)
    assert StoreSettings().raw_storage == (named or None)
    monkeypatch.setenv("COLLECTOR_RAW_STORAGE", "points")
    with pytest.raises(ValidationError, match=r"COLLECTOR_RAW_STORAGE points: in Cassandra.* `packed` or `off`"):
        StoreSettings()
