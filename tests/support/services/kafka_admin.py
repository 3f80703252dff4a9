"""What tests do to topics and consumer groups from outside."""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # not in __all__

from contract.log.progress import log_of

SECONDS = 60.0
"""The limit in case of failure: nothing takes this long otherwise."""


def log_of_topic(admin: AdminClient, topic: str) -> str:
    """The topic's id, as the store knows it; a topic that was just created may be unknown for a moment."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            described = admin.describe_topics(TopicCollection([topic]), request_timeout=SECONDS)[topic].result()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
        else:
            return log_of(str(described.topic_id))


def wait_until_led(admin: AdminClient, topic: str, partitions: int) -> None:
    """Returns once the broker knows a topic that was just created, and who leads its partitions."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions
        if len(found) == partitions and all(one.leader >= 0 and one.error is None for one in found.values()):
            return
        assert time.monotonic() < deadline, f"{topic}: {found}"


def delete_topic(admin: AdminClient, topic: str) -> None:
    """Returns once the broker no longer knows of it: it may return the old id for a moment."""
    admin.delete_topics([topic], operation_timeout=SECONDS)[topic].result(SECONDS)
    while True:
        try:
            admin.describe_topics(TopicCollection([topic]), request_timeout=SECONDS)[topic].result()
        except KafkaException as error:
            if error.args[0].name() == "UNKNOWN_TOPIC_OR_PART":
                return
            raise


def create_again(admin: AdminClient, topic: str, partitions: int) -> None:
    """Creates a topic that was deleted; its name may remain taken for a moment."""
    new = NewTopic(topic, partitions, 1, config={"message.timestamp.type": "LogAppendTime"})
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            admin.create_topics([new], operation_timeout=SECONDS)[topic].result(SECONDS)
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS" or time.monotonic() > deadline:
                raise
        else:
            wait_until_led(admin, topic, partitions)
            return


def remove_records(admin: AdminClient, topic: str, before: Mapping[int, int]) -> None:
    """Removes each partition's records below an offset, as retention does."""
    partitions = [TopicPartition(topic, partition, offset) for partition, offset in before.items()]
    for removed in admin.delete_records(partitions, request_timeout=SECONDS).values():
        removed.result(SECONDS)


def committed_offsets(bootstrap: str, group: str, topic: str, partitions: int) -> dict[int, int]:
    """The group's offsets as Kafka has them; partitions without one are left out."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    found = consumer.committed([TopicPartition(topic, partition) for partition in range(partitions)], timeout=SECONDS)
    consumer.close()
    return {one.partition: one.offset for one in found if one.offset >= 0}


def commit_offsets(bootstrap: str, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Commits for a group that has no members."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
    consumer.commit(offsets=wanted, asynchronous=False)
    consumer.close()


def members(admin: AdminClient, group: str) -> int:
    """How many consumers the group has."""
    described = admin.describe_consumer_groups([group], request_timeout=SECONDS)[group].result()
    return len(described.members)
