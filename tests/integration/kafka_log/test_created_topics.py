"""No client of ours creates a topic: a broker with Kafka's defaults would make it one partition with CreateTime."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from collector.rebuild.record import append_rebuild
from contract.errors import LogError, LogUnavailable
from contract.log.progress import LogPartition
from contract.log.rebuild import Manifest, Rebuild
from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.ports import free_port
from ingest_api.publishing.connection import KafkaConnection
from ingest_api.settings import IngestSettings
from kafka_log.questions import TopicQuestions
from kafka_log.reader import LogReader
from kafka_log.settings import KafkaSettings
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stream_workers.flush.rejected_topic import RejectedTopic
from stream_workers.partition.decoded import RejectedLine
from support.pipeline.pipeline import Pipeline
from support.services.default_kafka import DefaultKafka
from support.services.kafka_admin import delete_topic


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DefaultKafka]:
    try:
        artifacts = installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Kafka: {error}")
    with DefaultKafka(artifacts, tmp_path_factory.mktemp("kafka"), free_port(), free_port()) as kafka:
        yield kafka


@pytest.fixture
def kafka(broker: DefaultKafka) -> KafkaSettings:
    """A topic that nobody has created."""
    return KafkaSettings(kafka_bootstrap=broker.bootstrap, topic=f"nobodys-{secrets.token_hex(4)}")


async def ask(kafka: KafkaSettings) -> None:
    questions = TopicQuestions(kafka, kafka.topic, client_id="test", within=5)
    for question in (questions.describe, questions.end_offsets, questions.require_append_time):
        with pytest.raises(LogError):
            await asyncio.to_thread(question)
    # What is asked where a broker is down.
    questions._admin.list_topics(kafka.topic, timeout=5)  # noqa: SLF001 # nothing else makes it be asked


async def read(kafka: KafkaSettings) -> None:
    log = LogReader(kafka, kafka.topic)
    with pytest.raises(LogError):
        log.extent(0)
    with pytest.raises(LogError):
        log.offset_at(0, 0)
    with pytest.raises(LogError):
        list(log.records(0, 1))
    log.close()


async def write(kafka: KafkaSettings) -> None:
    settings = IngestSettings(kafka_bootstrap=kafka.kafka_bootstrap, topic=kafka.topic)
    connection = KafkaConnection(settings, lambda _: None, lambda _: None)
    with pytest.raises(LogError):
        await asyncio.to_thread(connection.partitions_of, kafka.topic, 5)
    assert await asyncio.to_thread(connection.log_of, kafka.topic, 5) is None
    connection.close(1)


async def reject(kafka: KafkaSettings) -> None:
    line = RejectedLine(LogPartition("log", 0), 0, 0, b"nonsense", "not_json")
    with pytest.raises(LogUnavailable, match="Unknown topic"):
        await RejectedTopic(kafka, kafka.topic).publish([line])


async def tell_of_a_rebuild(kafka: KafkaSettings) -> None:
    with pytest.raises(LogUnavailable):
        await asyncio.to_thread(append_rebuild, kafka, kafka.topic, 0, Manifest("m", Rebuild(1, 0, 1, 0)), 3.0)


@pytest.mark.parametrize("use", [ask, read, write, reject, tell_of_a_rebuild])
async def test_a_client_that_asks_about_a_topic_does_not_create_it(
    use: Callable[[KafkaSettings], Awaitable[None]], kafka: KafkaSettings, broker: DefaultKafka
) -> None:
    await use(kafka)
    assert kafka.topic not in broker.topics()


def test_this_broker_creates_what_other_clients_ask_about(kafka: KafkaSettings, broker: DefaultKafka) -> None:
    Producer({"bootstrap.servers": kafka.kafka_bootstrap, "log_level": 0}).list_topics(kafka.topic, timeout=30)
    assert kafka.topic in broker.topics()


async def test_a_worker_whose_topic_is_deleted_ends_and_does_not_create_it_again(
    broker: DefaultKafka, influx: InfluxSettings, tmp_path: Path
) -> None:
    await create_buckets(influx)
    topic, rejected = f"actions-{secrets.token_hex(4)}", f"rejected-{secrets.token_hex(4)}"
    broker.create_topic(topic, 1)
    broker.create_topic(rejected, 1)
    pipeline = Pipeline(broker.bootstrap, influx, topic, rejected, tmp_path)
    try:
        # It asks for metadata ten times a second.
        worker = pipeline.started(worker_metadata_refresh="PT0.1S")
        delete_topic(pipeline.admin, topic)
        assert worker.wait_for_end() == 1
    finally:
        await pipeline.close()
    assert topic not in broker.topics()
    assert "does not exist" in worker.logged()
