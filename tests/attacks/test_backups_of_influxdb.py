"""InfluxDB 1.8 hands its backups to, and takes them from, whoever reaches their port: it asks for no token there."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port


@pytest.fixture
def influxdb(tmp_path: Path) -> Iterator[InfluxDB]:
    """A server that asks everybody for a token."""
    try:
        artifacts = installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no local stack: {error}")
    with InfluxDB(artifacts, tmp_path / "influxdb", free_port(), admin_token=tmp_path / "admin") as started:
        yield started


def listening(server: InfluxDB) -> set[tuple[str, int]]:
    assert server.process is not None
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    return {(one.laddr.ip, one.laddr.port) for one in connections if one.status == psutil.CONN_LISTEN}


def connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=30):
            return True
    except OSError:
        return False


def test_nobody_connects_to_influxdb_but_where_it_asks_for_a_token(influxdb: InfluxDB) -> None:
    addresses = listening(influxdb)

    reached = {port for host, port in addresses if connects(host, port) or connects("127.0.0.1", port)}

    assert reached == {influxdb.port}
