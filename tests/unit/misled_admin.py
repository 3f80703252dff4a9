"""Kafka's admin client where one broker of several is down."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException


class MisledAdmin:
    """Waits for a broker that is down, until metadata name another one; what it was asked stands in `asked`."""

    def __init__(self, code: int = KafkaError._TIMED_OUT) -> None:  # noqa: SLF001 # the code's own name
        self.misled = True
        self.code = code
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
            answer.set_exception(KafkaException(KafkaError(self.code)))
        else:
            answer.set_result(SimpleNamespace(topic_id="an+id", partitions=[]))
        return {"actions": answer}

    def list_offsets(self, _asked: object, request_timeout: float) -> dict[object, Future[Any]]:
        assert request_timeout > 0
        return {}
