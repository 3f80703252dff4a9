"""The log's ends as real Kafka tells them."""

import asyncio
import logging
from concurrent.futures import Future
from datetime import timedelta

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package names them, but not in __all__
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
    TopicDescription,
)

from aggregator.end_offsets.port import LogEndOffsets
from contract.errors import LogReplaced, LogUnavailable, LogUnfit
from contract.progress import log_of

logger = logging.getLogger(__name__)


class KafkaEndOffsets:
    """Asks through one admin client, kept alive: three round trips, 2-4 ms on loopback, none on the event loop."""

    def __init__(self, bootstrap: str, topic: str, timeout: timedelta) -> None:
        """`timeout` bounds each of the three requests. Connections are made when first needed."""
        self._topic = topic
        self._timeout = timeout.total_seconds()
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "client.id": "aggregator"}, logger=logger)
        self._whom_to_ask_is_known = True

    async def read(self) -> LogEndOffsets:
        if not self._whom_to_ask_is_known:
            await self._learn_whom_to_ask()
        # Until all is answered: whoever waits for this may give it up.
        self._whom_to_ask_is_known = False
        ends = await self._read()
        self._whom_to_ask_is_known = True
        return ends

    async def _learn_whom_to_ask(self) -> None:
        """Metadata, which any broker has, name the one broker that librdkafka describes topics by.

        While that one is down it waits for it, though all others answer.
        """
        try:
            await asyncio.to_thread(self._admin.list_topics, self._topic, timeout=self._timeout)
        except KafkaException as error:
            raise self._explain(error) from error

    async def _read(self) -> LogEndOffsets:
        # A topic that is deleted and created again in between would lend its ends to the old log's id.
        before = await self._describe()
        ends = await self._ends([partition.id for partition in before.partitions])
        log, log_after = log_of(str(before.topic_id)), log_of(str((await self._describe()).topic_id))
        if log != log_after:
            raise LogReplaced(f"topic {self._topic!r} was created anew: its id was {log} and is {log_after}")
        return LogEndOffsets(log, ends)

    async def close(self) -> None:
        """The client gives its connections back when it is collected."""

    async def _describe(self) -> TopicDescription:
        try:
            futures = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=self._timeout)
            return await asyncio.wrap_future(futures[self._topic])
        except KafkaException as error:
            raise self._explain(error) from error

    async def _ends(self, partitions: list[int]) -> dict[int, int]:
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call] # the package has types in part only
        asked = {TopicPartition(self._topic, partition): latest for partition in partitions}
        try:
            futures: dict[TopicPartition, Future[ListOffsetsResultInfo]] = self._admin.list_offsets(
                asked, request_timeout=self._timeout
            )
            ends = await asyncio.gather(*map(asyncio.wrap_future, futures.values()))
        except KafkaException as error:
            raise self._explain(error) from error
        return {key.partition: end.offset for key, end in zip(futures, ends, strict=True)}

    def _explain(self, error: KafkaException) -> LogUnavailable | LogUnfit:
        cause = error.args[0]
        if cause.name() == "UNKNOWN_TOPIC_OR_PART":
            return LogUnfit(f"topic {self._topic!r} does not exist")
        return LogUnavailable(f"Kafka did not answer about topic {self._topic!r}: {cause.str()}")
