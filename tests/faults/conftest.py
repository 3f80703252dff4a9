import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.artifacts.installed import Artifacts, installed
from deploy.local.errors import LocalError
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from support.faults.shaken_kafka import ShakenKafka
from support.faults.toxic_network import ToxicNetwork
from support.scenarios.environment import Stage, staged
from support.scenarios.scenario import Trial
from support.services.addresses import Missing
from support.services.toxiproxy_build import toxiproxy

_durations: list[tuple[str, str, float]] = []


def unavailable(why: object) -> None:
    """Where something cannot be had, tests are skipped on a laptop and fail in CI."""
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
def kafka_of_all(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShakenKafka]:
    with ShakenKafka(artifacts, tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def influxdb_of_all(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with InfluxDB(artifacts, tmp_path_factory.mktemp("influxdb"), free_port()) as influxdb:
        yield influxdb


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToxicNetwork]:
    if not toxiproxy().is_file():
        unavailable("no toxiproxy: `make test-faults` builds it")
    with ToxicNetwork(toxiproxy(), tmp_path_factory.mktemp("toxiproxy")) as network:
        yield network


@pytest.fixture
def kafka(kafka_of_all: ShakenKafka) -> Iterator[ShakenKafka]:
    """A broker that a test may kill: the next one finds it alive again."""
    yield kafka_of_all
    assert kafka_of_all.process is not None
    if not kafka_of_all.process.is_alive():
        kafka_of_all.start()
    kafka_of_all.wait_until_ready()


@pytest.fixture
def influxdb(influxdb_of_all: InfluxDB) -> Iterator[InfluxDB]:
    """A store that a test may kill: likewise."""
    yield influxdb_of_all
    assert influxdb_of_all.process is not None
    if not influxdb_of_all.process.is_alive():
        influxdb_of_all.start()
    influxdb_of_all.wait_until_ready()


@pytest.fixture
def raw_retention() -> timedelta:
    """How long the stage's raw bucket keeps actions; a module may say otherwise."""
    return timedelta(days=30)


@pytest.fixture
async def stage(
    kafka: ShakenKafka, influxdb: InfluxDB, raw_retention: timedelta, tmp_path: Path
) -> AsyncIterator[Stage]:
    """One API and one aggregator on the one broker, no workers yet."""
    async with staged(kafka, influxdb.url, tmp_path, raw_retention) as stage:
        yield stage


@pytest.fixture
async def trial(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    """Traffic, watch and verdict; how long recoveries took is shown at the end of the run."""
    trial = Trial(stage, lambda what, seconds: _durations.append((request.node.name, what, seconds)))
    yield trial
    await trial.watch.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test, what, seconds in _durations:
        terminalreporter.write_line(f"{seconds:6.1f} s  {what}  ({test})")
