"""What the worker asks Kafka about its topic."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient

from contract.errors import LogReplaced, LogUnavailable, LogUnfit
from deploy.local.services.ports import free_port
from kafka_log import questions
from kafka_log.settings import KafkaSettings
from kafka_log.topic import LogTopic
from support.services.kafka_admin import create_again, delete_topic, log_of_topic


@pytest.fixture
def admin(kafka_bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka_bootstrap})


async def test_a_topic_is_known_by_its_id_as_long_as_it_is_the_same_one(
    kafka_bootstrap: str, topic: str, admin: AdminClient
) -> None:
    known = log_of_topic(admin, topic)
    mine = LogTopic(KafkaSettings(kafka_bootstrap=kafka_bootstrap), topic)
    assert await mine.log() == known
    await mine.verify(known)
    await mine.require_append_time()

    delete_topic(admin, topic)
    create_again(admin, topic, 2)
    other = log_of_topic(admin, topic)

    with pytest.raises(LogReplaced, match=f"its id was {known} and is {other}"):
        await mine.verify(known)
    await mine.verify(other)


async def test_a_topic_that_is_not_there_is_unfit(kafka_bootstrap: str) -> None:
    nobodys = LogTopic(KafkaSettings(kafka_bootstrap=kafka_bootstrap), "nobody-created-me")
    for question in (nobodys.log(), nobodys.verify("id"), nobodys.require_append_time()):
        with pytest.raises(LogUnfit, match="does not exist"):
            await question


async def test_a_topic_with_the_producers_timestamps_is_unfit(
    kafka_bootstrap: str, create_topic: Callable[..., str]
) -> None:
    theirs = LogTopic(KafkaSettings(kafka_bootstrap=kafka_bootstrap), create_topic(message_timestamp_type="CreateTime"))
    with pytest.raises(LogUnfit, match="CreateTime"):
        await theirs.require_append_time()


async def test_a_kafka_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "ANSWER_WITHIN", 0.5)
    nowhere = LogTopic(KafkaSettings(kafka_bootstrap=f"127.0.0.1:{free_port()}"), "actions")
    for question in (nowhere.log(), nowhere.verify("id"), nowhere.require_append_time()):
        with pytest.raises(LogUnavailable, match="actions"):
            await question
