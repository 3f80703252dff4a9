"""A look at the log's ends where one broker of several is down."""

from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from aggregator import kafka_log_ends
from aggregator.kafka_log_ends import KafkaLogEnds
from contract.errors import LogUnavailable


class MisledAdmin:
    """Waits for a broker that is down, until metadata name another one."""

    def __init__(self) -> None:
        self.misled = True
        self.asked: list[str] = []

    def list_topics(self, topic: str, timeout: float) -> None:
        assert timeout > 0
        self.asked.append(f"metadata of {topic}")
        self.misled = False

    def describe_topics(self, _topics: object, request_timeout: float) -> dict[str, Future[Any]]:
        assert request_timeout > 0
        self.asked.append("description")
        answer: Future[Any] = Future()
        if self.misled:
            answer.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))  # noqa: SLF001 # the code's own name
        else:
            answer.set_result(SimpleNamespace(topic_id="an+id", partitions=[]))
        return {"actions": answer}

    def list_offsets(self, _asked: object, request_timeout: float) -> dict[object, Future[Any]]:
        assert request_timeout > 0
        return {}


async def test_after_a_look_without_an_answer_the_next_one_asks_whichever_broker_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = MisledAdmin()
    monkeypatch.setattr(kafka_log_ends, "AdminClient", lambda *_, **__: admin)
    log_ends = KafkaLogEnds("a,b,c", "actions", timedelta(seconds=1))
    with pytest.raises(LogUnavailable):
        await log_ends.read()
    assert (await log_ends.read()).log == "an-id"
    assert (await log_ends.read()).log == "an-id"
    assert admin.asked == ["description", "metadata of actions", *["description"] * 4]
