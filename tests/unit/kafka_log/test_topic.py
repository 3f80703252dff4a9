"""Questions about the topic where a broker of several is down."""

import pytest
from confluent_kafka import KafkaError

from contract.errors import LogUnavailable, LogUnfit
from kafka_log import questions
from kafka_log.settings import KafkaSettings
from kafka_log.topic import LogTopic
from support.fixtures.failover_admin import FailoverAdmin


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> FailoverAdmin:
    admin = FailoverAdmin()
    monkeypatch.setattr(questions, "AdminClient", lambda *_, **__: admin)
    return admin


async def test_a_question_that_waits_for_a_broker_that_is_down_is_asked_of_another(admin: FailoverAdmin) -> None:
    assert await LogTopic(KafkaSettings(kafka_bootstrap="a,b,c"), "actions").log() == "an-id"
    assert admin.asked == ["description", "metadata of actions", "description"]


async def test_while_answers_come_nothing_else_is_asked(admin: FailoverAdmin) -> None:
    admin.misled = False
    topic = LogTopic(KafkaSettings(kafka_bootstrap="a,b,c"), "actions")
    for _ in range(3):
        await topic.verify("an-id")
    assert admin.asked == ["description"] * 3


async def test_after_a_question_without_an_answer_the_next_begins_with_metadata(
    admin: FailoverAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "ANSWER_WITHIN", 0.01)
    topic = LogTopic(KafkaSettings(kafka_bootstrap="a,b,c"), "actions")
    with pytest.raises(LogUnavailable):
        await topic.log()
    assert await topic.log() == "an-id"
    assert admin.asked == ["description", "metadata of actions", "description"]


async def test_a_topic_that_is_not_there_is_not_asked_for_again(admin: FailoverAdmin) -> None:
    admin.code = KafkaError.UNKNOWN_TOPIC_OR_PART
    with pytest.raises(LogUnfit):
        await LogTopic(KafkaSettings(kafka_bootstrap="a,b,c"), "actions").log()
    assert admin.asked == ["description"]
