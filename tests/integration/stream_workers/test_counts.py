"""A worker between real Kafka and real InfluxDB: what it counts is right, wherever it starts from."""

import random

import msgspec
import pytest
from confluent_kafka import Producer

from contract.hour import HOUR_MS
from contract.log.action import Action, encode_action
from stores.committed import read_committed
from support.pipeline.eventually import eventually
from support.pipeline.oracle import Numbers
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import commit_offsets, committed_offsets

A_DAY = 24 * HOUR_MS


async def test_late_hours_ids_and_duplicates_are_counted_exactly(pipeline: Pipeline) -> None:
    traffic = Traffic()
    pipeline.send(traffic.actions(3_000))
    pipeline.started()
    pipeline.send(traffic.actions(3_000), lines=7)
    await pipeline.counted()
    await pipeline.is_exact()


@pytest.mark.parametrize("memory", [1, 200_000, 10**9], ids=["evicted at once", "evicted at times", "kept"])
async def test_very_many_old_hours_are_counted_on_exactly_whatever_is_evicted_and_read_again(
    pipeline: Pipeline, memory: int
) -> None:
    traffic, chance = Traffic(), random.Random(memory)

    def old() -> list[Action]:
        hours = [chance.randrange(400_000, 401_000) * HOUR_MS for _ in range(1_500)]
        return [
            msgspec.structs.replace(made, timestamp=hour + made.timestamp % HOUR_MS)
            for hour, made in zip(hours, traffic.actions(1_500), strict=True)
        ]

    first = pipeline.started(worker_window_memory=str(memory))
    for _ in range(3):
        pipeline.send(old(), lines=50)
        await pipeline.counted()
    first.stop()
    pipeline.send(old(), lines=50)

    pipeline.started(worker_window_memory=str(memory))
    await pipeline.counted()
    pipeline.send(old(), lines=50)

    await pipeline.counted()
    await pipeline.is_exact()


@pytest.mark.parametrize("offset", [1, 60], ids=["below", "above"])
async def test_the_stores_progress_decides_whatever_kafka_says_was_committed(pipeline: Pipeline, offset: int) -> None:
    traffic = Traffic()
    first = pipeline.started()
    pipeline.send(traffic.actions(400), lines=2)
    await pipeline.counted()
    first.stop()
    pipeline.send(traffic.actions(400), lines=2)
    commit_offsets(pipeline.bootstrap, pipeline.group, pipeline.topic, dict.fromkeys(range(PARTITIONS), offset))

    pipeline.started()

    await pipeline.counted()
    await pipeline.is_exact()


async def test_kafka_is_told_the_stores_progress_before_anything_is_counted(pipeline: Pipeline) -> None:
    """Else tools that show the lag would believe the old commits."""
    first = pipeline.started()
    pipeline.send(Traffic().actions(400), lines=2)
    await pipeline.counted()
    first.stop()
    commit_offsets(pipeline.bootstrap, pipeline.group, pipeline.topic, dict.fromkeys(range(PARTITIONS), 1))

    pipeline.started()

    stored = {partition: end + 1 for partition, end in pipeline.ends.items()}
    await eventually(
        lambda: committed_offsets(pipeline.bootstrap, pipeline.group, pipeline.topic, PARTITIONS) == stored
    )


async def test_records_of_every_codec_are_counted(pipeline: Pipeline) -> None:
    pipeline.started()
    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        producer = Producer({"bootstrap.servers": pipeline.bootstrap, "compression.codec": codec})
        line = encode_action(Action(A_DAY, f"user-of-{codec}", "click"))
        producer.produce(pipeline.topic, b"\n".join([line] * 100), partition=0)
        assert producer.flush(60) == 0
    pipeline.ends[0] = len(codecs) - 1
    await pipeline.counted()
    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 500}, 0, 5)


async def test_a_record_without_the_header_is_counted_and_its_window_says_so(pipeline: Pipeline) -> None:
    pipeline.started()
    pipeline.append(encode_action(Action(A_DAY, "ada", "click")), header=b"4")
    pipeline.append(encode_action(Action(A_DAY, "bob", "click")), header=None)
    pipeline.append(encode_action(Action(0, "bob", "click")), header=b"4")
    pipeline.acknowledged()
    await pipeline.counted()
    fewest = {}
    for hour in (A_DAY, 0):
        for committed in (await read_committed(pipeline.store, hour)).values():
            if committed.window is not None:
                fewest[hour] = (committed.window.fewest_partitions, committed.window.most_partitions)
    assert fewest == {A_DAY: (0, 4), 0: (4, 4)}


async def test_the_markers_of_transactions_are_no_gaps(pipeline: Pipeline) -> None:
    """Each commit leaves an offset in the log that no reader is ever given."""
    pipeline.started()
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "transactional.id": pipeline.group})
    producer.init_transactions(60)
    line = encode_action(Action(A_DAY, "ada", "click"))
    for _ in range(5):
        producer.begin_transaction()
        producer.produce(pipeline.topic, line, partition=0)
        producer.produce(pipeline.topic, line, partition=0)
        producer.commit_transaction(60)
    pipeline.append(line)
    pipeline.acknowledged()
    assert pipeline.ends[0] >= 14
    await pipeline.counted()
    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 11}, 0, 1)
    assert (await pipeline.progress())[0].lines == 11


async def test_a_worker_that_starts_behind_markers_goes_on(pipeline: Pipeline) -> None:
    first = pipeline.started()
    line = encode_action(Action(A_DAY, "ada", "click"))
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "transactional.id": pipeline.group})
    producer.init_transactions(60)

    def in_a_transaction() -> None:
        producer.begin_transaction()
        producer.produce(pipeline.topic, line, partition=0)
        producer.commit_transaction(60)

    in_a_transaction()
    pipeline.ends[0] = 0
    await pipeline.counted()
    first.stop()
    in_a_transaction()
    pipeline.started()
    pipeline.append(line)
    pipeline.acknowledged()
    await pipeline.counted()
    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 3}, 0, 1)
