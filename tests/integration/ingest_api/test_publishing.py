"""The publishers, on real Kafka and on the fake."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined] # exported untyped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.log.action import Action, encode_action
from contract.log.partitioning import partition_of
from contract.log.record import MAX_LINES, decode_record
from ingest_api.errors import NotPublished
from ingest_api.metrics import Metrics
from ingest_api.publishing.kafka import KafkaPublisher
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.publishing.publisher import Publisher, publish
from ingest_api.settings import IngestSettings
from support.services.kafka_log import read_log

AnyPublisher = TypeVar("AnyPublisher", bound=Publisher)

ACTIONS = [Action(number, f"user-{number % 37}", "click", f"i{number}") for number in range(500)]


def kafka_publisher(bootstrap: str, topic: str) -> KafkaPublisher:
    wanted = IngestSettings(
        kafka_bootstrap=bootstrap,
        topic=topic,
        ingest_metadata_refresh=timedelta(milliseconds=100),
        ingest_delivery_timeout=timedelta(seconds=60),
        ingest_drain_timeout=timedelta(seconds=90),
    )
    return KafkaPublisher(wanted, Metrics())


async def until(publisher: Publisher, unavailable_reason: str | None) -> None:
    """Returns once this is its unavailable_reason."""
    while await publisher.unavailable_reason() != unavailable_reason:  # noqa: ASYNC110 - Kafka tells of no event
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(publisher: AnyPublisher) -> AsyncIterator[AnyPublisher]:
    """Started, and able to publish: a new topic is not known to a broker at once."""
    await publisher.start()
    await until(publisher, None)
    yield publisher
    await publisher.close()


@pytest.fixture
async def kafka(kafka_bootstrap: str, topic: str) -> AsyncIterator[KafkaPublisher]:
    async with running(kafka_publisher(kafka_bootstrap, topic)) as publisher:
        yield publisher


@pytest.fixture(params=["memory", "kafka"])
async def publisher(request: pytest.FixtureRequest, kafka_bootstrap: str, topic: str) -> AsyncIterator[Publisher]:
    chosen = MemoryPublisher() if request.param == "memory" else kafka_publisher(kafka_bootstrap, topic)
    async with running(chosen) as publisher:
        yield publisher


@pytest.fixture
def in_log(kafka_bootstrap: str, topic: str) -> Callable[[Publisher], list[Action]]:
    """The actions that a publisher has put into its log."""

    def read(publisher: Publisher) -> list[Action]:
        if isinstance(publisher, MemoryPublisher):
            return publisher.published
        lines = [line for record in read_log(kafka_bootstrap, topic) for line in decode_record(record.value)]
        return [line for line in lines if isinstance(line, Action)]

    return read


async def test_what_is_published_is_in_the_log_once(
    publisher: Publisher, in_log: Callable[[Publisher], list[Action]]
) -> None:
    assert await publisher.unavailable_reason() is None
    await publish(publisher, ACTIONS)
    await asyncio.gather(*[publish(publisher, [action]) for action in ACTIONS])
    assert sorted(map(repr, in_log(publisher))) == sorted(map(repr, ACTIONS * 2))


async def test_publishing_nothing_is_acknowledged(publisher: Publisher) -> None:
    await publish(publisher, [])


async def test_a_record_holds_canonical_lines_of_its_partition_s_users_and_the_partition_count(
    kafka: KafkaPublisher, kafka_bootstrap: str, topic: str
) -> None:
    await publish(kafka, ACTIONS)
    records = read_log(kafka_bootstrap, topic)
    assert len(records) == 4
    for record in records:
        lines = [line for line in decode_record(record.value) if isinstance(line, Action)]
        assert record.value == b"".join(encode_action(line) + b"\n" for line in lines)
        assert {partition_of(line.user, 4) for line in lines} == {record.partition}
        assert record.headers == {"partitions": b"4"}


async def test_single_actions_of_many_callers_share_records(
    kafka: KafkaPublisher, kafka_bootstrap: str, topic: str
) -> None:
    await asyncio.gather(*[publish(kafka, [action]) for action in ACTIONS])
    assert len(read_log(kafka_bootstrap, topic)) < len(ACTIONS) / 10


async def test_a_hot_user_s_batch_is_cut_into_records_that_keep_the_limits(
    kafka: KafkaPublisher, kafka_bootstrap: str, topic: str
) -> None:
    await publish(kafka, [Action(number, "hot", "click") for number in range(2 * MAX_LINES + 1)])
    records = read_log(kafka_bootstrap, topic)
    assert sorted(len(decode_record(record.value)) for record in records) == [1, MAX_LINES, MAX_LINES]


async def test_growth_of_the_topic_is_learnt_without_a_restart(
    kafka: KafkaPublisher, kafka_bootstrap: str, topic: str
) -> None:
    await publish(kafka, ACTIONS)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_partitions([NewPartitions(topic, 9)])[topic].result(60)
    while {record.headers["partitions"] for record in read_log(kafka_bootstrap, topic)} != {b"4", b"9"}:
        await publish(kafka, ACTIONS)
    grown = [record for record in read_log(kafka_bootstrap, topic) if record.headers["partitions"] == b"9"]
    for record in grown:
        for line in decode_record(record.value):
            assert isinstance(line, Action)
            assert partition_of(line.user, 9) == record.partition


async def test_to_a_topic_that_does_not_exist_nothing_is_published_and_it_is_not_created(
    kafka_bootstrap: str,
) -> None:
    name = f"absent-{secrets.token_hex(6)}"
    publisher = kafka_publisher(kafka_bootstrap, name)
    await publisher.start()
    await until(publisher, f"topic '{name}' does not exist: create it with message.timestamp.type=LogAppendTime")
    with pytest.raises(NotPublished):
        await publish(publisher, ACTIONS)
    await publisher.close()
    assert name not in AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=60).topics


async def test_a_topic_that_is_deleted_and_created_again_is_published_to(
    kafka: KafkaPublisher, kafka_bootstrap: str, topic: str
) -> None:
    await publish(kafka, ACTIONS)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.delete_topics([topic])[topic].result(60)
    await until(kafka, f"topic '{topic}' does not exist: create it with message.timestamp.type=LogAppendTime")
    admin.create_topics([NewTopic(topic, 4, 1)])[topic].result(60)
    await until(kafka, None)
    await publish(kafka, ACTIONS)
    assert sum(len(decode_record(record.value)) for record in read_log(kafka_bootstrap, topic)) == len(ACTIONS)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=256), max_size=200))
def test_partition_of_is_what_librdkafka_s_default_partitioner_does_with_the_user_as_key(
    kafka_bootstrap: str, topic: str, users: set[str]
) -> None:
    delivered: dict[str, int | None] = {}

    def note(error: object, message: Message) -> None:
        assert error is None
        delivered[(message.key() or b"").decode()] = message.partition()

    producer = Producer({"bootstrap.servers": kafka_bootstrap, "linger.ms": 0})
    for user in users:
        producer.produce(topic, b"", key=user.encode(), on_delivery=note)
    assert producer.flush(60) == 0
    assert delivered == {user: partition_of(user, 4) for user in users}
