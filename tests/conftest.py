"""Fixtures for every test that needs real services; they start once a run, and each test gets names of its own."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import HealthCheck, settings

from deploy.local.artifacts.cassandra import CassandraArtifacts, cassandra_installed
from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.log_file import tail_of
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from deploy.local.services.secured_kafka import SecuredKafka
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.setup import create_schema
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.builds.influxdb2 import influxd2
from support.cluster.cassandra import CassandraCluster
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.services.addresses import Addresses, Missing
from support.services.cassandra import Node, cassandra_node, empty_tables
from support.services.containers import docker_answers, services_as_containers
from support.services.influxdb2 import ORG, InfluxDB2
from support.services.kafka_admin import wait_until_led
from support.services.processes import services_as_processes
from support.services.secured import Secured


def pytest_configure() -> None:
    """A run that is told to end stops its services, as it does after Ctrl-C; how long an example takes is no result."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure is told with how the logs of its processes end."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and folder is not None:
        report.sections += [(f"{log.name} ends", tail_of(log)) for log in sorted(folder.rglob("*.log"))]
    return report


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Real Kafka and InfluxDB. Where they cannot be had, tests are skipped on a laptop and fail in CI."""
    try:
        with (
            services_as_containers()
            if docker_answers()
            else services_as_processes(tmp_path_factory.mktemp("services")) as addresses
        ):
            yield addresses
    except Missing as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Kafka and InfluxDB: {missing}")


@pytest.fixture(scope="session")
def kafka_bootstrap(services: Addresses) -> str:
    """Where Kafka clients begin."""
    return services.kafka_bootstrap


@pytest.fixture(scope="session")
def influx_url(services: Addresses) -> str:
    """InfluxDB 1.8."""
    return services.influx_url


@pytest.fixture(scope="session")
def create_topic(kafka_bootstrap: str) -> Callable[..., str]:
    """Creates a topic under a random name and returns it once it can be used; `config` is added to LogAppendTime."""
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})

    def create(partitions: int = PARTITIONS, **config: str) -> str:
        name = f"actions-{secrets.token_hex(6)}"
        settings = {"message.timestamp.type": "LogAppendTime", **{key.replace("_", "."): config[key] for key in config}}
        admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(60)
        wait_until_led(admin, name, partitions)
        return name

    return create


@pytest.fixture
def topic(create_topic: Callable[..., str]) -> str:
    """A topic for actions that only this test knows."""
    return create_topic()


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A broker that asks everybody who they are; as a process, also where other services are containers."""
    try:
        artifacts = installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Kafka: {error}")
    folder = tmp_path_factory.mktemp("secured-kafka")
    with SecuredKafka(artifacts, folder, free_port(), free_port(), free_port()) as kafka:
        yield kafka


@pytest.fixture
async def secured(secured_kafka: SecuredKafka, influx: InfluxSettings) -> Secured:
    """Topics of a test's own, users and ACLs, and the two buckets."""
    secured = Secured(secured_kafka)
    await secured.provision(influx)
    return secured


@pytest.fixture
def influx(influx_url: str) -> InfluxSettings:
    """An InfluxDB 1.8 with two empty databases that only this test knows."""
    name = secrets.token_hex(6)
    for database in (f"actions_{name}", f"hourly_{name}"):
        created = httpx.post(f"{influx_url}/query", params={"q": f'CREATE DATABASE "{database}"'}, timeout=60)
        created.raise_for_status()
    return InfluxSettings(
        influx_url=influx_url, raw_bucket=f"actions_{name}/autogen", hourly_bucket=f"hourly_{name}/autogen"
    )


@pytest.fixture(scope="session")
def influx2_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB2]:
    """InfluxDB 2.7. Where it was not built, tests are skipped on a laptop and fail in CI."""
    if not influxd2().is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no InfluxDB 2.7: `make test-influx2` builds it")
    folder = tmp_path_factory.mktemp("influxdb2")
    with InfluxDB2(influxd2(), folder, free_port(), secrets.token_urlsafe(16)) as server:
        yield server


@pytest.fixture
async def influx1(influx: InfluxSettings) -> InfluxSettings:
    """InfluxDB 1.8 with two empty buckets that only this test knows."""
    await create_buckets(influx)
    return influx


@pytest.fixture
async def influx2(influx2_server: InfluxDB2) -> InfluxSettings:
    """InfluxDB 2.7 with two empty buckets that only this test knows."""
    name = secrets.token_hex(6)
    settings = InfluxSettings(
        influx_url=influx2_server.url,
        influx_token=influx2_server.token,
        influx_org=ORG,
        raw_bucket=f"actions_{name}/autogen",
        hourly_bucket=f"hourly_{name}/autogen",
    )
    await create_buckets(settings)
    return settings


@pytest.fixture
async def pipeline(
    kafka_bootstrap: str, influx: InfluxSettings, create_topic: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Pipeline]:
    """Topics, buckets and a consumer group of its own; workers that are left over are killed."""
    await create_buckets(influx)
    one = Pipeline(kafka_bootstrap, influx, create_topic(PARTITIONS), create_topic(1), tmp_path)
    yield one
    await one.close()


@pytest.fixture
def environment(pipeline: Pipeline) -> dict[str, str]:
    return {
        "COLLECTOR_KAFKA_BOOTSTRAP": pipeline.bootstrap,
        "COLLECTOR_TOPIC": pipeline.topic,
        "COLLECTOR_INFLUX_URL": str(pipeline.influx.influx_url),
        "COLLECTOR_RAW_BUCKET": pipeline.influx.raw_bucket,
        "COLLECTOR_HOURLY_BUCKET": pipeline.influx.hourly_bucket,
        # A slow machine must not look like an outage.
        "COLLECTOR_AGGREGATOR_KAFKA_TIMEOUT": "PT60S",
        "COLLECTOR_AGGREGATOR_PROBE_TIMEOUT": "PT60S",
    }


@pytest.fixture
def aggregator(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    service = PythonService("aggregator", free_port(), tmp_path / "aggregator.log", "aggregator", environment)
    try:
        service.start()
        service.wait_until_ready()
        yield f"http://127.0.0.1:{service.port}"
    finally:
        service.kill()


@pytest.fixture(scope="session")
def cassandra_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One Cassandra node with the schema. Where it was not set up, tests are skipped on a laptop and fail in CI."""
    try:
        with cassandra_node(tmp_path_factory.mktemp("cassandra")) as server:
            asyncio.run(create_schema(server.settings))
            yield server
    except Missing as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Cassandra: {missing}")


@pytest.fixture(scope="session")
def cassandra_artifacts() -> CassandraArtifacts:
    """For nodes of a test's own. Where they were not set up, tests are skipped on a laptop and fail in CI."""
    try:
        return cassandra_installed()
    except LocalError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Cassandra: {missing}")
        raise


@pytest.fixture(scope="session")
def cassandra_cluster(
    cassandra_artifacts: CassandraArtifacts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CassandraCluster]:
    """Three nodes without a schema: a node that is replaced gets only what is repaired, which is one keyspace."""
    with CassandraCluster(cassandra_artifacts, tmp_path_factory.mktemp("cassandra-cluster")) as cluster:
        yield cluster


@pytest.fixture
def cassandra(cassandra_server: Node) -> CassandraSettings:
    """Cassandra with empty tables."""
    empty_tables(cassandra_server.settings)
    return cassandra_server.settings
