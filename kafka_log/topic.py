"""The topic that holds the log: its id, and whether it is fit to be counted on."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports the last two, but not for mypy
    AdminClient,
    ConfigResource,
    ResourceType,
)

from contract.errors import LogReplaced, LogUnavailable, LogUnfit
from contract.progress import log_of

T = TypeVar("T")

ANSWER_WITHIN = 5.0
"""Seconds that one question to Kafka may take."""

ATTEMPT: Final = 1.0
"""Seconds until it is asked again, of whichever broker now answers."""


class LogTopic:
    """Questions about the topic that only Kafka can answer. The client is kept alive: an answer takes 0.4 ms then."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.name = name
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": int(ANSWER_WITHIN * 1000)})
        self._whom_to_ask_is_known = True

    async def log(self) -> str:
        """The topic's id. Raises LogUnfit if there is no such topic, LogUnavailable if Kafka does not answer."""
        return await asyncio.to_thread(self._log)

    async def verify(self, log: str) -> None:
        """Raises LogReplaced unless the topic's id is still `log`; LogUnavailable if Kafka does not answer."""
        found = await self.log()
        if found != log:
            raise LogReplaced(f"topic {self.name!r} was created anew: its id was {log} and is {found}")

    async def require_append_time(self) -> None:
        """Raises LogUnfit unless the broker stamps the records: their timestamps must rise along a partition."""
        kind = await asyncio.to_thread(self._timestamp_type)
        if kind != "LogAppendTime":
            raise LogUnfit(
                f"topic {self.name!r} has message.timestamp.type={kind}; set it to LogAppendTime: "
                "complete_through is taken from the broker's timestamps"
            )

    def _log(self) -> str:
        asked = TopicCollection([self.name])
        description = self._ask(
            lambda within: self._admin.describe_topics(asked, request_timeout=within)[self.name].result()
        )
        return log_of(str(description.topic_id))

    def _timestamp_type(self) -> str:
        asked = ConfigResource(ResourceType.TOPIC, self.name)
        config = self._ask(lambda within: self._admin.describe_configs([asked], request_timeout=within)[asked].result())
        return str(config["message.timestamp.type"].value)

    def _ask(self, question: Callable[[float], T]) -> T:
        """The answer to a question that is given its bound in seconds.

        librdkafka asks one broker only, the one that it takes for the controller, and while that one is down it waits
        for it, though all others answer: until metadata, which any broker has, tell it of another.
        """
        give_up = time.monotonic() + ANSWER_WITHIN
        while True:
            within = min(ATTEMPT, ANSWER_WITHIN)
            try:
                if not self._whom_to_ask_is_known:
                    self._admin.list_topics(self.name, timeout=within)
                self._whom_to_ask_is_known = False
                answer = question(within)
            except KafkaException as error:
                trouble = self._explain(error)
                if isinstance(trouble, LogUnfit) or time.monotonic() > give_up - within:
                    raise trouble from error
            else:
                self._whom_to_ask_is_known = True
                return answer

    def _explain(self, error: KafkaException) -> LogUnavailable | LogUnfit:
        cause = error.args[0]
        if cause.name() == "UNKNOWN_TOPIC_OR_PART":
            return LogUnfit(f"topic {self.name!r} does not exist: create it with message.timestamp.type=LogAppendTime")
        return LogUnavailable(f"Kafka did not answer about topic {self.name!r}: {cause.str()}")
