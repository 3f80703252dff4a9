"""What compose.yaml has besides, each brought up once: Prometheus and its exporters; Cassandra in InfluxDB's place."""

from collections import Counter
from collections.abc import Iterator

import pytest

from support.compose.exactness import require_exact
from support.compose.guide import commands, monitoring_commands
from support.compose.load import actions_of
from support.compose.stack import SECONDS, URL, Stack
from support.end_to_end.traffic import send
from support.monitoring.prometheus import Prometheus
from support.pipeline.eventually import eventually

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1_200)]

MONITORS = "prometheus node-exporter blackbox-exporter"
"""Grafana's image is in a registry only."""


@pytest.fixture
def monitored(stack: Stack, guided: dict[str, str]) -> Iterator[Prometheus]:
    assert guided
    stack.up()
    for line in monitoring_commands():
        stack.run(line)
    stack.run(f"COMPOSE_PROFILES=influx,monitoring docker compose up --detach --no-build --wait {MONITORS}")
    asked = Prometheus(9090)
    yield asked
    asked.close()
    stack.run(f"COMPOSE_PROFILES=influx,monitoring docker compose rm --stop --force {MONITORS}")


async def test_prometheus_finds_each_container_asks_it_with_a_key_and_no_alert_fires(monitored: Prometheus) -> None:
    wanted = {"ingest": 2, "worker": 2, "aggregator": 2, "rollup": 1, "node": 1, "gateway": 1}

    def answering() -> Counter[str]:
        return Counter(series["metric"]["job"] for series in monitored.query("up == 1"))

    await eventually(lambda: answering() == wanted and bool(monitored.query("probe_success == 1")), SECONDS)
    assert {series["metric"]["job"] for series in monitored.query("collector_ready == 1")} == wanted.keys() - {
        "node",
        "gateway",
    }
    assert {rule["health"] for rule in monitored.rules()} <= {"ok", "unknown"}
    assert monitored.alerts() == set()


@pytest.fixture
def with_cassandra(stack: Stack, guided: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own; the other one is down meanwhile."""
    assert guided
    stack.compose("down")
    other = Stack(tmp_path_factory.mktemp("cassandra"))
    settings = "COMPOSE_PROJECT_NAME=other\nCOLLECTOR_STORE=cassandra\nCOMPOSE_PROFILES=cassandra\n"
    (other.folder / ".env").write_text(settings)
    for line in commands():
        if "secrets" in line:
            other.run(line)
    yield other
    other.compose("down --volumes --timeout 5")
    stack.up()


async def test_with_cassandra_numbers_are_exact_and_outlive_the_containers(with_cassandra: Stack, hour: int) -> None:
    key = with_cassandra.add_key("me", "write", "read", "backfill")
    with_cassandra.up()
    make = actions_of(hour, "cassandra", ids=False)()
    actions = [next(make) for _ in range(3_000)]
    async with with_cassandra.client(key) as http:
        await send(http, URL, actions)
        await require_exact(http, actions)
    with_cassandra.compose("down")
    with_cassandra.up()
    async with with_cassandra.client(key) as http:
        await require_exact(http, actions)
