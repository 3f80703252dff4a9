"""What each program's user may not do on a broker with the ACLs that provision makes."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined] # not in __all__

from deploy.kafka.acls import Principals, Resources, permissions
from kafka_log.reader import READER_GROUP
from support.services.secured import PROGRAMS, Secured

MAY_READ = {"actions": {"worker", "operator"}, "rejected": set()}
MAY_WRITE = {"actions": {"ingest", "operator"}, "rejected": {"worker"}}


def topic_of(secured: Secured, kind: str) -> str:
    return {"actions": secured.topic, "rejected": secured.rejected_topic}[kind]


def read(secured: Secured, program: str, topic: str) -> None:
    config = {**secured.config(program), "group.id": READER_GROUP, "enable.partition.eof": True}
    consumer = Consumer(config)
    try:
        # Of a topic that it may not even describe, a consumer that is assigned by hand hears nothing.
        if (error := consumer.list_topics(topic, timeout=30).topics[topic].error) is not None:
            raise KafkaException(error)
        consumer.assign([TopicPartition(topic, 0, 0)])
        (message,) = consumer.consume(1, 30)
        if (error := message.error()) is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the package's own name
            raise KafkaException(error)
    finally:
        consumer.close()


def write(secured: Secured, program: str, topic: str) -> None:
    errors: list[KafkaError | None] = []
    producer = Producer({**secured.config(program), "acks": "all"})
    producer.produce(topic, b"x", partition=0, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    if errors[0] is not None:
        raise KafkaException(errors[0])


def refusal(act: Callable[..., object], *arguments: object) -> str:
    """The name of the error that it ends with; nothing if it is done."""
    try:
        act(*arguments)
    except KafkaException as error:
        return error.args[0].name()
    return ""


def those_allowed(act: Callable[..., object], secured: Secured, topic: str) -> set[str]:
    """Whom it does not refuse; the others for no other reason than their rights."""
    found = {program: refusal(act, secured, program, topic) for program in PROGRAMS}
    assert all(name.endswith("_AUTHORIZATION_FAILED") for name in found.values() if name), found
    return {program for program, name in found.items() if not name}


@pytest.mark.parametrize("kind", ["actions", "rejected"])
async def test_only_those_read_a_topic_that_must(secured: Secured, kind: str) -> None:
    assert those_allowed(read, secured, topic_of(secured, kind)) == MAY_READ[kind]


@pytest.mark.parametrize("kind", ["actions", "rejected"])
async def test_only_those_write_a_topic_that_must(secured: Secured, kind: str) -> None:
    topic = topic_of(secured, kind)
    assert those_allowed(write, secured, topic) == MAY_WRITE[kind]
    assert len(secured.read(topic)) == len(MAY_WRITE[kind])


@pytest.mark.parametrize("program", PROGRAMS)
async def test_nobody_creates_deletes_or_changes_topics(secured: Secured, program: str) -> None:
    admin = AdminClient(secured.config(program))
    created = admin.create_topics([NewTopic(f"new-{program}", 1, 1)])[f"new-{program}"]
    deleted = admin.delete_topics([secured.topic])[secured.topic]
    added = admin.create_partitions([NewPartitions(secured.topic, 100)])[secured.topic]
    assert {refusal(asked.result) for asked in (created, deleted, added)} == {"TOPIC_AUTHORIZATION_FAILED"}


async def test_with_the_wrong_password_nothing_is_answered(secured: Secured) -> None:
    config = {**secured.config("operator"), "sasl.password": "wrong"}
    with pytest.raises(KafkaException):
        AdminClient(config).list_topics(timeout=2)


async def test_without_a_certificate_the_listener_for_certificates_answers_nothing(secured: Secured) -> None:
    config = {
        "bootstrap.servers": secured.kafka.tls_bootstrap,
        "security.protocol": "SSL",
        "ssl.ca.location": str(secured.kafka.authority.own.certificate),
        "log_level": 0,
    }
    with pytest.raises(KafkaException):
        AdminClient(config).list_topics(timeout=2)


def test_a_program_without_a_principal_gets_nothing() -> None:
    principals = Principals("", "User:worker", "", "")
    assert {one.principal for one in permissions(principals, Resources("a", "r", "g"))} == {"User:worker"}
