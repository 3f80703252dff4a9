import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.artifacts.installed import Artifacts, installed
from deploy.local.errors import LocalError
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from support.builds.toxiproxy import TOXIPROXY
from support.faults.proxied_kafka import ProxiedKafka
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.environment import Environment, started_environment
from support.scenarios.scenario import Scenario
from support.services.addresses import Missing

_durations: list[tuple[str, str, float]] = []


def unavailable(why: object) -> None:
    """What is missing skips tests on a laptop and fails them in CI."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(str(why))


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """Processes, not containers: they are sent signals."""
    try:
        return installed()
    except LocalError as missing:
        unavailable(missing)
        raise Missing(str(missing)) from missing


@pytest.fixture(scope="session")
def shared_kafka(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    with ProxiedKafka(artifacts, tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def shared_influxdb(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with InfluxDB(artifacts, tmp_path_factory.mktemp("influxdb"), free_port()) as influxdb:
        yield influxdb


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToxicNetwork]:
    if not TOXIPROXY.path.is_file():
        unavailable("no toxiproxy: `make test-faults` builds it")
    with ToxicNetwork(TOXIPROXY.path, tmp_path_factory.mktemp("toxiproxy")) as network:
        yield network


@pytest.fixture
def kafka(shared_kafka: ProxiedKafka) -> Iterator[ProxiedKafka]:
    """A broker that a test may kill: the next one finds it alive again."""
    yield shared_kafka
    assert shared_kafka.process is not None
    if not shared_kafka.process.is_alive():
        shared_kafka.start()
    shared_kafka.wait_until_ready()


@pytest.fixture
def influxdb(shared_influxdb: InfluxDB) -> Iterator[InfluxDB]:
    """A store that a test may kill: the next one finds it alive again."""
    yield shared_influxdb
    assert shared_influxdb.process is not None
    if not shared_influxdb.process.is_alive():
        shared_influxdb.start()
    shared_influxdb.wait_until_ready()


@pytest.fixture
def raw_retention() -> timedelta:
    """How long the environment's raw bucket keeps actions; a module may say otherwise."""
    return timedelta(days=30)


@pytest.fixture
async def environment(
    kafka: ProxiedKafka, influxdb: InfluxDB, raw_retention: timedelta, tmp_path: Path
) -> AsyncIterator[Environment]:
    """One API and one aggregator on the one broker, no workers yet."""
    async with started_environment(kafka, influxdb.url, tmp_path, raw_retention) as environment:
        yield environment


@pytest.fixture
async def scenario(environment: Environment, request: pytest.FixtureRequest) -> AsyncIterator[Scenario]:
    """Traffic, monitor and verdict; how long recoveries took is shown at the end of the run."""
    scenario = Scenario(environment, lambda what, seconds: _durations.append((request.node.name, what, seconds)))
    yield scenario
    await scenario.monitor.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test, what, seconds in _durations:
        terminalreporter.write_line(f"{seconds:6.1f} s  {what}  ({test})")
