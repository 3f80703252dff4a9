from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from support.pipeline.collector_program import Auditor
from support.pipeline.pipeline import Pipeline
from support.services.tcp_gate import TcpGate
from support.transactions.client import Librdkafka, TransactionalClient
from support.transactions.java import Java
from support.transactions.producer import NewProducer, TransactionalProducer


@pytest.fixture
def gate(pipeline: Pipeline) -> Iterator[TcpGate]:
    """In front of the pipeline's store, open."""
    address = urlsplit(str(pipeline.influx.influx_url))
    with TcpGate(address.hostname or "", address.port or 0) as gate:
        yield gate


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
