"""Every question to a topic that only Kafka can answer: its id, its partitions, its end offsets, its timestamps."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports all but the first, but not for mypy
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from contract.errors import LogReplaced, LogUnfit
from contract.log.progress import log_of
from kafka_log.client import CLIENT_LOG, Refusal, client_config
from kafka_log.errors import explain, refused
from kafka_log.settings import KafkaSettings

T = TypeVar("T")

ANSWER_WITHIN = 5.0
"""Seconds that one question to Kafka may take."""

ATTEMPT: Final = 1.0
"""Seconds until a worker, which must not stop for a broker that is down, asks again whichever one now answers."""


class Description(NamedTuple):
    """The log that the topic is now, and its partitions in order."""

    log: str
    partitions: list[int]


class TopicQuestions:
    """Asks about one topic through one client that is kept alive: an answer takes 0.4 ms then, and each method blocks.

    Each raises LogUnfit where there is no such topic, and LogUnavailable where Kafka does not answer within `within`
    seconds. One request may take `attempt` of them, then it is sent again; without `attempt` it may take all.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        name: str,
        *,
        client_id: str,
        within: float | None = None,
        attempt: float | None = None,
    ) -> None:
        """Connections are made when first needed."""
        self.name = name
        self._within = ANSWER_WITHIN if within is None else within
        self._attempt = self._within if attempt is None else min(attempt, self._within)
        self._refusal = Refusal()
        config = client_config(kafka, client_id)
        config["socket.timeout.ms"] = int(max(self._within, ATTEMPT) * 1000)
        config["error_cb"] = self._refusal.note
        self._admin = AdminClient(config, logger=CLIENT_LOG)
        self._knows_whom_to_ask = True

    def describe(self) -> Description:
        """What the topic is now."""
        asked = TopicCollection([self.name])
        found = self._ask(lambda within: self._admin.describe_topics(asked, request_timeout=within)[self.name].result())
        return Description(log_of(str(found.topic_id)), sorted(partition.id for partition in found.partitions))

    def verify(self, log: str) -> None:
        """Raises LogReplaced unless the topic is still `log`."""
        found = self.describe().log
        if found != log:
            raise _replaced(self.name, log, found)

    def end_offsets(self) -> tuple[str, Mapping[int, int]]:
        """The log that the topic is, and for each of its partitions the offset that its next record will get.

        Every record acknowledged before the call lies below them. Raises LogReplaced.
        """
        log, partitions = self.describe()
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call] # the package has types in part only
        asked = {TopicPartition(self.name, partition): latest for partition in partitions}
        ends = self._ask(
            lambda within: {
                key.partition: answer.result().offset
                for key, answer in self._admin.list_offsets(asked, request_timeout=within).items()
            }
        )
        # A topic that is deleted and created again in between would lend its ends to the old log's id.
        self.verify(log)
        return log, ends

    def require_append_time(self) -> None:
        """Raises LogUnfit unless the broker stamps the records: their timestamps must rise along a partition."""
        asked = ConfigResource(ResourceType.TOPIC, self.name)
        config = self._ask(lambda within: self._admin.describe_configs([asked], request_timeout=within)[asked].result())
        kind = config["message.timestamp.type"].value
        if kind != "LogAppendTime":
            raise LogUnfit(
                f"topic {self.name!r} has message.timestamp.type={kind}; set it to LogAppendTime: "
                "complete_through is taken from the broker's timestamps"
            )

    def refusal(self) -> str | None:
        """Why brokers refuse the connection, where they do; for those who wait for no answer any more."""
        self._admin.poll(0)
        return None if self._refusal.reason is None else refused(self._refusal.reason)

    def _ask(self, question: Callable[[float], T]) -> T:
        """The answer to a question that is given its bound in seconds.

        librdkafka asks one broker only, the one that it takes for the controller, and while that one is down it waits
        for it, though all others answer: until metadata, which any broker has, name another one.
        """
        last_attempt = time.monotonic() + self._within - self._attempt
        while True:
            try:
                if not self._knows_whom_to_ask:
                    self._admin.list_topics(self.name, timeout=self._attempt)
                # Until it is answered: whoever waits for this may give up.
                self._knows_whom_to_ask = False
                answer = question(self._attempt)
            except KafkaException as error:
                # Errors of connections, and log lines, wait until they are asked for.
                self._admin.poll(0)
                explained = explain(self.name, error.args[0], self._refusal.reason)
                if isinstance(explained, LogUnfit) or time.monotonic() >= last_attempt:
                    raise explained from error
            else:
                self._knows_whom_to_ask = True
                self._refusal.clear()
                return answer


def _replaced(topic: str, log: str, found: str) -> LogReplaced:
    return LogReplaced(f"topic {topic!r} was deleted and created again: its id was {log} and is {found}")
