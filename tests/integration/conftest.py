from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.pipeline.collector_program import Auditor
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.services.tcp_gate import TcpGate
from support.transactions.client import Librdkafka, TransactionalClient
from support.transactions.java import Java
from support.transactions.producer import NewProducer, TransactionalProducer


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
def gate(pipeline: Pipeline) -> Iterator[TcpGate]:
    """In front of the pipeline's store, open."""
    address = urlsplit(str(pipeline.influx.influx_url))
    with TcpGate(address.hostname or "", address.port or 0) as gate:
        yield gate


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


@pytest.fixture
def audit(environment: dict[str, str], aggregator: str) -> Auditor:
    return Auditor(environment, aggregator)


@pytest.fixture(params=[Librdkafka, Java])
def new_producer(pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[NewProducer]:
    """Makes transactional producers of the pipeline's topic, by librdkafka and by Java."""
    clients: list[TransactionalClient] = []

    def new() -> TransactionalProducer:
        clients.append(request.param(pipeline.bootstrap, pipeline.topic))
        return TransactionalProducer(pipeline, clients[-1])

    yield new
    for client in clients:
        client.close()
