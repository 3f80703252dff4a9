"""Reading a real topic without joining a group."""

import secrets
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from contract.errors import LogNotRetained, LogReplaced, LogTruncated, LogUnavailable, LogUnfit
from kafka_log.reader import Extent, LogReader
from kafka_log.settings import KafkaSettings
from support.services.kafka_admin import create_again, delete_topic, log_of_topic, remove_records


@pytest.fixture
def topic(create_topic: Callable[..., str], kafka_bootstrap: str) -> str:
    name = create_topic(1)
    log_of_topic(AdminClient({"bootstrap.servers": kafka_bootstrap}), name)
    return name


@pytest.fixture
def log(kafka_bootstrap: str, topic: str) -> Iterator[LogReader]:
    one = LogReader(KafkaSettings(kafka_bootstrap=kafka_bootstrap), topic)
    yield one
    one.close()


@pytest.fixture
def producer(kafka_bootstrap: str) -> Producer:
    return Producer({"bootstrap.servers": kafka_bootstrap, "transactional.id": secrets.token_hex(4), "log_level": 0})


def append(producer: Producer, topic: str, *values: bytes | None, commit: bool = True) -> None:
    """One transaction; its end takes an offset too."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, headers={"partitions": b"8"})
    # An abort takes back what was not sent yet.
    assert producer.flush(60) == 0
    producer.commit_transaction() if commit else producer.abort_transaction()


def wait_for_markers(log: LogReader, end: int) -> None:
    """The broker answers the end of a transaction before its marker is in the log."""
    give_up = time.monotonic() + 60
    while log.extent(0).end != end:
        assert time.monotonic() < give_up, log.extent(0)


def test_all_committed_records_up_to_an_offset_are_read_over_holes_and_aborted_ones(
    log: LogReader, producer: Producer, topic: str
) -> None:
    """As the workers read."""
    producer.init_transactions()
    append(producer, topic, b"a", None)
    append(producer, topic, b"c", commit=False)
    append(producer, topic, *([b"d"] * 3_000))

    wait_for_markers(log, 3_006)
    assert log.extent(0) == Extent(0, 3_006)
    records = list(log.records(0, 3_004))
    assert [record.offset for record in records] == [0, 1, *range(5, 3_005)]
    assert [record.value for record in records[:3]] == [b"a", None, b"d"]
    assert {record.partitions for record in records} == {8}
    assert [record.offset for record in log.records(0, 1)] == [0, 1]
    assert [record.offset for record in log.records(0, 3_005, first=3_004)] == [3_004]  # its last offset is a marker's
    assert list(log.records(0, 3_005, first=3_005)) == []
    assert list(log.records(0, -1)) == []


def test_offsets_that_hold_no_committed_record_are_told_from_those_that_do(
    log: LogReader, producer: Producer, topic: str
) -> None:
    producer.init_transactions()
    append(producer, topic, b"a", b"b")
    append(producer, topic, b"c", b"d", commit=False)
    append(producer, topic, b"e")
    wait_for_markers(log, 8)  # a b | c d | e |

    assert log.is_empty(0, 2, 3)
    assert log.is_empty(0, 2, 6)
    assert log.is_empty(0, 7, 8)
    assert not log.is_empty(0, 2, 7)
    assert not log.is_empty(0, 1, 3)
    assert not log.is_empty(0, 7, 9)  # nobody knows yet what will be there


def test_nothing_is_known_of_an_open_transaction_and_what_follows_on_it(
    log: LogReader, producer: Producer, topic: str, kafka_bootstrap: str
) -> None:
    producer.init_transactions()
    append(producer, topic, b"a")
    producer.begin_transaction()
    producer.produce(topic, b"b")
    assert producer.flush(60) == 0
    other = Producer({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    other.produce(topic, b"c")
    assert other.flush(60) == 0

    assert log.extent(0) == Extent(0, 2)  # a | b c
    assert log.is_empty(0, 1, 2)
    assert not log.is_empty(0, 1, 4)
    with pytest.raises(LogTruncated, match=f"{topic}/0 ends before 2, but offset 3 was counted"):
        list(log.records(0, 3))

    producer.abort_transaction()
    wait_for_markers(log, 5)
    assert not log.is_empty(0, 1, 4)
    assert log.is_empty(0, 1, 3)
    assert [record.value for record in log.records(0, 4)] == [b"a", b"c"]


def test_a_look_that_nobody_waits_for_any_more_ends() -> None:
    """There is no Kafka that would answer."""
    log = LogReader(KafkaSettings(kafka_bootstrap="127.0.0.1:1"), "actions")
    with pytest.raises(LogUnavailable, match="actions/0"):
        log.is_empty(0, 0, 1, is_stopped=lambda: True)
    log.close()


def test_a_log_that_ends_too_early_or_begins_too_late_is_told(
    log: LogReader, producer: Producer, topic: str, kafka_bootstrap: str
) -> None:
    producer.init_transactions()
    append(producer, topic, b"a", b"b", b"c")
    wait_for_markers(log, 4)
    with pytest.raises(LogTruncated, match=f"{topic}/0 ends before 4, but offset 9 was counted"):
        list(log.records(0, 9))

    remove_records(AdminClient({"bootstrap.servers": kafka_bootstrap}), topic, {0: 2})

    assert log.extent(0) == Extent(2, 4)
    with pytest.raises(LogNotRetained, match=f"{topic}/0"):
        log.is_empty(0, 1, 4)
    with pytest.raises(LogNotRetained, match=f"{topic}/0"):
        list(log.records(0, 2))


def test_the_first_offset_of_a_time_is_the_first_that_kafka_took_then_or_later(
    log: LogReader, producer: Producer, topic: str
) -> None:
    producer.init_transactions()
    append(producer, topic, b"a")
    wait_for_markers(log, 2)
    (first,) = log.records(0, 0)
    append(producer, topic, b"b")
    wait_for_markers(log, 4)

    assert log.offset_at(0, first.timestamp) == 0
    assert log.offset_at(0, first.timestamp - 3_600_000) == 0
    assert log.offset_at(0, first.timestamp + 3_600_000) == 4


def test_a_topic_that_is_created_again_is_another_log(log: LogReader, topic: str, kafka_bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    before, partitions = log.identify()
    assert partitions == [0]
    log.verify(before)
    delete_topic(admin, topic)
    create_again(admin, topic, 2)
    after = log_of_topic(admin, topic)

    with pytest.raises(LogReplaced, match=f"its id was {before} and is {after}"):
        log.verify(before)
    assert log.identify() == (after, [0, 1])


def test_a_topic_that_is_not_there_is_told(kafka_bootstrap: str) -> None:
    log = LogReader(KafkaSettings(kafka_bootstrap=kafka_bootstrap), "no-such-topic")
    with pytest.raises(LogUnfit, match="'no-such-topic' does not exist"):
        log.identify()
    log.close()
