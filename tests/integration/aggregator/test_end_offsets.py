from collections.abc import Callable
from datetime import timedelta

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined] # not in __all__

from aggregator.end_offsets.kafka import KafkaEndOffsets
from aggregator.end_offsets.port import LogEndOffsets
from contract.errors import LogError, LogUnavailable, LogUnfit
from deploy.local.services.ports import free_port
from kafka_log.settings import KafkaSettings

PARTITIONS = 4
SECONDS = 60
TIMEOUT = timedelta(seconds=60)


@pytest.fixture
def admin(kafka_bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka_bootstrap})


@pytest.fixture
async def end_offsets(kafka_bootstrap: str, topic: str) -> KafkaEndOffsets:
    """Of a topic whose partitions have found their leader."""
    end_offsets = KafkaEndOffsets(KafkaSettings(kafka_bootstrap=kafka_bootstrap), topic, TIMEOUT)
    await _until(end_offsets, lambda ends: ends is not None)
    return end_offsets


@pytest.fixture
def produce(kafka_bootstrap: str, topic: str) -> Callable[[int, int], None]:
    """Appends some records to a partition; returns once they are acknowledged."""
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "acks": "all"})

    def delivered(error: object, _message: object) -> None:
        assert error is None

    def produce(partition: int, records: int) -> None:
        for _ in range(records):
            producer.produce(topic, b"{}", partition=partition, on_delivery=delivered)
        assert producer.flush(SECONDS) == 0

    return produce


async def test_every_acknowledged_record_lies_below_the_ends(
    end_offsets: KafkaEndOffsets, produce: Callable[[int, int], None]
) -> None:
    assert (await end_offsets.read()).by_partition == {0: 0, 1: 0, 2: 0, 3: 0}

    for round_ in range(1, 6):
        produce(1, 3)
        produce(3, 1)
        assert (await end_offsets.read()).by_partition == {0: 0, 1: 3 * round_, 2: 0, 3: round_}


async def test_the_log_is_the_topics_id(end_offsets: KafkaEndOffsets, admin: AdminClient, topic: str) -> None:
    first = (await end_offsets.read()).log
    admin.delete_topics([topic])[topic].result(SECONDS)
    await _until(end_offsets, lambda ends: ends is None)
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(SECONDS)

    again = await _until(end_offsets, lambda ends: ends is not None)

    assert again is not None
    assert again.log != first
    assert again.by_partition == {0: 0, 1: 0}


async def test_added_partitions_are_seen(
    end_offsets: KafkaEndOffsets, admin: AdminClient, topic: str, produce: Callable[[int, int], None]
) -> None:
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result(SECONDS)

    await _until(end_offsets, lambda ends: ends is not None and len(ends.by_partition) > PARTITIONS)

    # Before a broker knows of the partition, a producer is told that there is none.
    produce(4, 2)
    assert (await end_offsets.read()).by_partition == {0: 0, 1: 0, 2: 0, 3: 0, 4: 2}


async def test_a_topic_that_does_not_exist_is_said_to(kafka_bootstrap: str) -> None:
    with pytest.raises(LogUnfit, match="does not exist"):
        await KafkaEndOffsets(KafkaSettings(kafka_bootstrap=kafka_bootstrap), "no-such-topic", TIMEOUT).read()


async def test_a_kafka_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(LogUnavailable):
        await KafkaEndOffsets(
            KafkaSettings(kafka_bootstrap=f"127.0.0.1:{free_port()}"), "actions", timedelta(milliseconds=200)
        ).read()


async def _until(
    end_offsets: KafkaEndOffsets, condition: Callable[[LogEndOffsets | None], bool]
) -> LogEndOffsets | None:
    """Asks until the answer fulfils the condition; None stands for an error. pytest's time-out bounds it."""
    while True:
        try:
            ends = await end_offsets.read()
        except LogError:
            ends = None
        if condition(ends):
            return ends
