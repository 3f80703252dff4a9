"""The topic that holds the log: its id, and whether it is fit to be counted on."""

import asyncio

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports the last two, but not for mypy
    AdminClient,
    ConfigResource,
    ResourceType,
)

from contract.errors import LogReplaced, LogUnavailable, LogUnfit
from contract.progress import log_of

ANSWER_WITHIN = 5.0
"""Seconds that one question to Kafka may take."""


class ActionsTopic:
    """Questions about the topic that only Kafka can answer. The client is kept alive: an answer takes 0.4 ms then."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.name = name
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": int(ANSWER_WITHIN * 1000)})

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
        try:
            description = self._admin.describe_topics(TopicCollection([self.name]), request_timeout=ANSWER_WITHIN)[
                self.name
            ].result()
        except KafkaException as error:
            raise self._explain(error) from error
        return log_of(str(description.topic_id))

    def _timestamp_type(self) -> str:
        resource = ConfigResource(ResourceType.TOPIC, self.name)
        try:
            config = self._admin.describe_configs([resource], request_timeout=ANSWER_WITHIN)[resource].result()
        except KafkaException as error:
            raise self._explain(error) from error
        return str(config["message.timestamp.type"].value)

    def _explain(self, error: KafkaException) -> LogUnavailable | LogUnfit:
        cause = error.args[0]
        if cause.name() == "UNKNOWN_TOPIC_OR_PART":
            return LogUnfit(f"topic {self.name!r} does not exist: create it with message.timestamp.type=LogAppendTime")
        return LogUnavailable(f"Kafka did not answer about topic {self.name!r}: {cause.str()}")
