"""`collector up --store cassandra`: all that works on InfluxDB works there, too."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.artifacts.cassandra import cassandra_installed
from deploy.local.errors import LocalError
from deploy.local.services.ports import free_port

COLLECTOR = str(Path(sys.executable).with_name("collector"))
SECONDS = 240
DATA = Path(__file__).parents[2] / "e2e" / "data"
HOURS = ["--from", "2015-05-18T00", "--to", "2015-05-18T23"]


class Stack:
    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __call__(self, command: str, *arguments: str, check: bool = True) -> str:
        ended = subprocess.run(
            [COLLECTOR, command, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert (ended.returncode == 0) is check, ended.stdout + ended.stderr
        return ended.stdout if check else ended.stderr

    def up(self, *arguments: str, check: bool = True) -> str:
        data = ["--data", str(self.data), "--port", str(self.port)]
        return self("up", "--detach", "--store", "cassandra", *data, *arguments, check=check)

    def get(self, path: str) -> dict[str, object]:
        found: dict[str, object] = httpx.get(self.url + path, timeout=SECONDS).raise_for_status().json()
        return found

    def counted(self) -> None:
        """Returns once nothing of the log waits to be counted."""
        give_up = time.monotonic() + SECONDS
        while self.get("/v1/hours/2015-05-18T10")["lag"] != 0:
            assert time.monotonic() < give_up


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    try:
        cassandra_installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Cassandra: {error}")
    stack = Stack(tmp_path_factory.mktemp("stack"))
    assert "Cassandra 127.0.0.1 port" in stack.up()
    yield stack
    stack("down", "--data", str(stack.data))


def test_real_traffic_is_counted_audited_rebuilt_and_kept_over_a_restart(stack: Stack) -> None:
    data = ["--data", str(stack.data)]
    stack("send", str(DATA / "web-2015-05.ndjson"), "--url", stack.url)
    stack.counted()
    before = stack.get("/v1/totals?from=2015-05-17T10&to=2015-05-20T22")
    assert (before["clicks"], before["impressions"], before["duplicates"]) == (4_685, 5_315, 0)
    assert json.loads(stack("audit", "--json", *data))["outcome"] == "equal"

    assert "the workers continue from them" in stack("rebuild", *HOURS, *data)
    assert json.loads(stack("audit", "--json", *data))["outcome"] == "equal"

    stack("down", *data)
    assert "another folder" in stack.up("--brokers", "3", check=False)
    stack.up()
    stack.counted()
    after = stack.get("/v1/totals?from=2015-05-17T10&to=2015-05-20T22")
    assert {name: after[name] for name in ("unique_users", "counts")} == {
        name: before[name] for name in ("unique_users", "counts")
    }
    partitions = stack.get("/v1/ledger")["partitions"]
    assert isinstance(partitions, list)
    assert all(one["balanced"] for one in partitions)
    assert sum(one["counted"] for one in partitions) == 10_000


def test_the_processes_are_listed_and_none_keeps_points_for_influxdb(stack: Stack) -> None:
    rows = json.loads(stack("ps", "--json", "--data", str(stack.data)))
    assert {row["name"]: row["state"] for row in rows} == dict.fromkeys(
        ["kafka", "cassandra", "ingest-1", "worker-1", "worker-2", "aggregator-1", "gateway"], "running"
    )
