"""Reading the topic with a plain consumer that joins no group and commits nothing."""

import time
from collections.abc import Callable, Generator
from operator import methodcaller
from typing import Final, NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from contract.errors import LogNotRetained, LogTruncated, LogUnavailable
from contract.log.record import Record, record_of
from kafka_log.client import CLIENT_LOG, client_config
from kafka_log.errors import explain
from kafka_log.questions import Description, TopicQuestions
from kafka_log.settings import KafkaSettings

READER_GROUP: Final = "collector-log-reader"
"""Readers join no group, but librdkafka asks for this one's coordinator: brokers with ACLs must let it."""
_ANSWER_WITHIN: Final = 10.0
"""Seconds that one question may take."""
_STOPS_WITHIN: Final = 0.2
"""Seconds until a look for one record ends that nobody waits for any more."""
_ask_for_headers: Final = methodcaller("headers")
"""Of a message, once. Where it cannot decode a header's name it hands out a null pointer and leaves an error pending.

Called so, that is found each time. A call in Python's own code is specialised after some, and then not looked at: the
error is raised wherever the interpreter looks next.
"""
_BATCH: Final = 1_000
_BATCH_WITHIN: Final = 1.0
_EMPTY_BATCHES: Final = 30
"""So many in a row, a second each: Kafka is away."""


class Extent(NamedTuple):
    """The offsets that a partition holds: from `first` up to, not including, `end`.

    `end` is where the first open transaction begins, if there is one: what lies beyond cannot be read yet.
    """

    first: int
    end: int


class LogReader:
    """Reads the topic. Each method raises LogUnavailable, and LogUnfit where there is no such topic."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        """Connections are made when first needed."""
        self._topic = topic
        self._questions = TopicQuestions(kafka, topic, client_id=READER_GROUP, within=_ANSWER_WITHIN)
        self._consumer = Consumer(
            {
                **client_config(kafka, READER_GROUP),
                # The library asks for one; a consumer that is assigned by hand and commits nothing joins none.
                "group.id": READER_GROUP,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                # A fetch that waits at the end of one partition holds up the first fetch of the next.
                "fetch.wait.max.ms": 10,
                # A record that is not there must not be passed over.
                "auto.offset.reset": "error",
                # As the workers read: records of aborted transactions are none.
                "isolation.level": "read_committed",
                "check.crcs": True,
            },
            logger=CLIENT_LOG,
        )

    def identify(self) -> Description:
        """The log that the topic is now, and its partitions."""
        return self._questions.describe()

    def verify(self, log: str) -> None:
        """Raises LogReplaced unless the topic is still `log`."""
        self._questions.verify(log)

    def extent(self, partition: int) -> Extent:
        """What the partition holds now."""
        try:
            first, end = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=_ANSWER_WITHIN
            )
        except KafkaException as error:
            raise explain(self._topic, error.args[0]) from error
        return Extent(first, end)

    def offset_at(self, partition: int, timestamp: int) -> int:
        """The first offset that Kafka gave at `timestamp` (ms since the epoch) or later; the end if there is none."""
        asked = TopicPartition(self._topic, partition, timestamp)
        try:
            (found,) = self._consumer.offsets_for_times([asked], timeout=_ANSWER_WITHIN)
        except KafkaException as error:
            raise explain(self._topic, error.args[0]) from error
        if found.error is not None:
            raise explain(self._topic, found.error)
        return self.extent(partition).end if found.offset < 0 else found.offset

    def records(self, partition: int, through: int, first: int = 0) -> Generator[Record, None, None]:
        """The partition's records from offset `first` up to and including offset `through`, in order.

        Raises LogNotRetained where the beginning is gone, LogTruncated where the log ends before `through`.
        """
        self._consumer.assign([TopicPartition(self._topic, partition, first)])
        try:
            at, empty = first - 1, 0
            while at < through:
                # It waits until it has so many: never ask for more than there can be.
                messages = self._consumer.consume(min(_BATCH, through - at), _BATCH_WITHIN)
                empty = 0 if messages else empty + 1
                if empty == _EMPTY_BATCHES:
                    raise LogUnavailable(f"{self._topic}/{partition}: nothing came for {empty} s after offset {at}")
                for message in messages:
                    if self._is_end(message, partition):
                        if _offset_of(message) > through:
                            return
                        where = f"{self._topic}/{partition}"
                        raise LogTruncated(f"{where} ends before {message.offset()}, but offset {through} was counted")
                    at = _offset_of(message)
                    if at <= through:
                        yield _record_of(message, partition)
        finally:
            self._consumer.unassign()

    def is_empty(self, partition: int, first: int, end: int, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Whether the partition has no committed record from offset `first` up to, not including, `end`.

        What is there then are markers of transactions, and records of aborted ones. False where it has one, and where
        a transaction before `end` is open. Raises LogNotRetained where offset `first` is gone, and LogUnavailable soon
        after `is_stopped` says so.
        """
        self._consumer.assign([TopicPartition(self._topic, partition, first)])
        try:
            give_up = time.monotonic() + _EMPTY_BATCHES * _BATCH_WITHIN
            while (message := self._consumer.poll(_STOPS_WITHIN)) is None:
                if is_stopped() or time.monotonic() > give_up:
                    raise LogUnavailable(f"{self._topic}/{partition}: nothing came from offset {first} on")
            # Either the next record, or the offset where nothing more can be read.
            self._is_end(message, partition)
            return _offset_of(message) >= end
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """Gives back connections."""
        self._consumer.close()

    def _is_end(self, message: Message, partition: int) -> bool:
        """Whether it is no record, but says that nothing follows up to its offset, and nothing beyond can be read."""
        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the package's own name for it
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as above
            where = f"{self._topic}/{partition}"
            raise LogNotRetained(f"{where}: records were removed before they could be read again: {error.str()}")
        raise explain(self._topic, error)


def _offset_of(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset


def _record_of(message: Message, partition: int) -> Record:
    return record_of(partition, _offset_of(message), message.timestamp()[1], message.value(), _headers_of(message))


def _headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """None where the name of one is no UTF-8, as the workers read it."""
    try:
        # What a producer may hand over as a mapping or as text comes back as pairs with bytes.
        return cast("list[tuple[str, bytes | None]]", _ask_for_headers(message) or [])
    except SystemError as error:
        if not isinstance(error.__cause__, UnicodeDecodeError):
            raise
        return []
