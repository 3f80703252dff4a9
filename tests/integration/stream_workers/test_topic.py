"""Unfit topics are refused with a clear text; what retention removed is reported as lost."""

from collections.abc import Callable
from zlib import crc32

import pytest

from contract.log.action import RULES_VERSION
from contract.log.progress import LogPartition, Progress, RecordMark
from contract.store import ProgressPoint
from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import create_again, delete_topic, log_of_topic, remove_records


async def put_progress(pipeline: Pipeline, progress: Progress, partition: int = 0) -> None:
    await pipeline.store.write_progress([ProgressPoint(LogPartition(pipeline.log, partition), 5, progress)])


async def test_a_topic_whose_timestamps_are_not_the_brokers_is_refused(
    pipeline: Pipeline, create_topic: Callable[..., str]
) -> None:
    topic = create_topic(message_timestamp_type="CreateTime")
    worker = pipeline.worker(topic=topic)
    worker.start()
    assert worker.wait_for_end() == 1
    assert f"topic '{topic}' has message.timestamp.type=CreateTime; set it to LogAppendTime" in worker.logged()
    assert "Traceback" not in worker.logged()


async def test_a_topic_that_does_not_exist_is_refused(pipeline: Pipeline) -> None:
    worker = pipeline.worker(topic="nobody-created-me")
    worker.start()
    assert worker.wait_for_end() == 1
    assert "topic 'nobody-created-me' does not exist: create it" in worker.logged()
    assert "Traceback" not in worker.logged()


async def test_a_topic_that_is_deleted_and_created_again_stops_the_worker_and_the_next_one_counts_the_new_log(
    pipeline: Pipeline,
) -> None:
    traffic = Traffic()
    worker = pipeline.started()
    pipeline.send(traffic.actions(500), lines=5)
    await pipeline.counted()
    old, stored = pipeline.log, await pipeline.progress()

    delete_topic(pipeline.admin, pipeline.topic)
    create_again(pipeline.admin, pipeline.topic, PARTITIONS)
    pipeline.topic_recreated(log_of_topic(pipeline.admin, pipeline.topic))
    pipeline.send(traffic.actions(5_000), lines=5)

    assert worker.wait_for_end() not in (0, None)
    assert await pipeline.progress(old) == stored
    pipeline.started()
    await pipeline.counted()
    await pipeline.is_exact()
    assert await pipeline.progress(old) == stored


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(1_000, watermark=5), "offset 1000 was counted, but the log ends before"),
        (Progress(0, watermark=5, rules=RULES_VERSION + 1), "run the newer one"),
        (Progress(0, watermark=5, mark=RecordMark(5, crc32(b"another"))), "the log was truncated and written again"),
    ],
    ids=["ends-below-progress", "newer-rules", "another-record-at-progress"],
)
async def test_a_log_that_contradicts_the_stored_progress_is_refused(
    pipeline: Pipeline, progress: Progress, text: str
) -> None:
    pipeline.append(b"one")
    pipeline.append(b"two")
    pipeline.acknowledged()
    await put_progress(pipeline, progress)
    worker = pipeline.worker()
    worker.start()
    assert worker.wait_for_end() == 1
    assert text in worker.logged()
    assert (await pipeline.progress())[0] == progress


async def test_records_that_retention_removed_unread_are_reported_as_lost(pipeline: Pipeline) -> None:
    traffic = Traffic()
    first = pipeline.started()
    pipeline.send(traffic.actions(300), lines=3)
    await pipeline.counted()
    first.stop()
    stored = (await pipeline.progress())[0]
    kept = {partition: list(lines) for partition, lines in pipeline.lines.items()}
    pipeline.send(traffic.actions(300), lines=3)
    removed = pipeline.ends[0] - stored.through_offset - 5
    remove_records(pipeline.admin, pipeline.topic, {0: stored.through_offset + 1 + removed})
    gone = removed * 3
    pipeline.lines[0] = kept[0] + pipeline.lines[0][len(kept[0]) + gone :]

    worker = pipeline.started()

    await pipeline.counted()
    await pipeline.is_exact()
    progress = (await pipeline.progress())[0]
    assert progress.lost == removed
    assert progress.lines == len(pipeline.lines[0]) + removed
    assert worker.metric("lost_records_total") == removed
    assert f"{removed} records up to offset {stored.through_offset + removed} are lost" in worker.logged()


async def test_a_worker_goes_on_where_retention_removed_exactly_what_was_counted(pipeline: Pipeline) -> None:
    traffic = Traffic()
    first = pipeline.started()
    pipeline.send(traffic.actions(300), lines=3)
    await pipeline.counted()
    first.stop()
    remove_records(pipeline.admin, pipeline.topic, {partition: end + 1 for partition, end in pipeline.ends.items()})

    pipeline.started()
    pipeline.send(traffic.actions(300), lines=3)

    await pipeline.counted()
    await pipeline.is_exact()
    assert {progress.lost for progress in (await pipeline.progress()).values()} == {0}


async def test_kafka_that_is_away_at_the_start_is_named(pipeline: Pipeline) -> None:
    worker = pipeline.worker(kafka_bootstrap="127.0.0.1:1")
    worker.start()
    assert worker.wait_for_end() == 1
    assert "Kafka did not answer about topic" in worker.logged()
    await eventually(lambda: "Traceback" not in worker.logged())
