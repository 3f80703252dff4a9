"""`collector up --store cassandra`: all that works on InfluxDB works there, too."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.artifacts.cassandra import cassandra_installed
from deploy.local.errors import LocalError
from support.end_to_end.local_stack import SECONDS, LocalStack

DATA = Path(__file__).parents[2] / "e2e" / "data"
HOURS = ["--from", "2015-05-18T00", "--to", "2015-05-18T23"]
TO_CASSANDRA = ["--store", "cassandra"]


def get(stack: LocalStack, path: str) -> dict[str, object]:
    found: dict[str, object] = httpx.get(stack.url + path, timeout=SECONDS).raise_for_status().json()
    return found


def wait_until_counted(stack: LocalStack) -> None:
    """Returns once nothing of the log waits to be counted."""
    give_up = time.monotonic() + SECONDS
    while get(stack, "/v1/hours/2015-05-18T10")["lag"] != 0:
        assert time.monotonic() < give_up


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    try:
        cassandra_installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Cassandra: {error}")
    stack = LocalStack(tmp_path_factory.mktemp("stack"))
    stack.up(*TO_CASSANDRA)
    yield stack
    stack("down")


def test_real_traffic_is_counted_audited_rebuilt_and_kept_over_a_restart(stack: LocalStack) -> None:
    stack("send", str(DATA / "web-2015-05.ndjson"))
    wait_until_counted(stack)
    before = get(stack, "/v1/totals?from=2015-05-17T10&to=2015-05-20T22")
    assert (before["clicks"], before["impressions"], before["duplicates"]) == (4_685, 5_315, 0)
    assert json.loads(stack("audit", "--json"))["outcome"] == "equal"

    assert "the workers continue from them" in stack("rebuild", *HOURS)
    assert json.loads(stack("audit", "--json"))["outcome"] == "equal"

    stack("down")
    up = ["up", "--detach", *TO_CASSANDRA, "--port", str(stack.port)]
    assert "another folder" in stack.error_of(*up, "--brokers", "3")
    assert "Cassandra 127.0.0.1 port" in stack(*up)
    wait_until_counted(stack)
    after = get(stack, "/v1/totals?from=2015-05-17T10&to=2015-05-20T22")
    assert {name: after[name] for name in ("unique_users", "counts")} == {
        name: before[name] for name in ("unique_users", "counts")
    }
    partitions = get(stack, "/v1/ledger")["partitions"]
    assert isinstance(partitions, list)
    assert all(one["balanced"] for one in partitions)
    assert sum(one["counted"] for one in partitions) == 10_000


def test_the_processes_are_listed_and_none_keeps_points_for_influxdb(stack: LocalStack) -> None:
    assert stack.states() == dict.fromkeys(
        ["kafka", "cassandra", "ingest-1", "worker-1", "worker-2", "aggregator-1", "gateway"], "running"
    )
