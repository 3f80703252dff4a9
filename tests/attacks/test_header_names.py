"""Somebody who may write the topic appends a record with a header whose name is no UTF-8: counting goes on.

Before, it ended each worker that read it, the audit and rebuilds, until retention had removed the record.
"""

from pathlib import Path

from aiokafka import AIOKafkaProducer

from contract.hour import format_hour
from contract.log.action import encode_action
from contract.log.partitioning import partition_of
from support.attacks.auditing import auditor
from support.pipeline.collector_program import collector
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.producers.odd_names import BAD, any_names

ODD = 30


async def send_with_bad_names(pipeline: Pipeline, traffic: Traffic, compression: str | None) -> None:
    """Good actions, each record with a header that nobody can decode."""
    headers = [("partitions", b"4"), (BAD, b"x")]
    producer = AIOKafkaProducer(bootstrap_servers=pipeline.bootstrap, compression_type=compression, linger_ms=20)
    async with producer:
        with any_names():
            sent = []
            for action in traffic.actions(ODD):
                partition, line = partition_of(action.user, PARTITIONS), encode_action(action)
                pipeline.lines[partition].append(action)
                sent.append(await producer.send(pipeline.topic, line, partition=partition, headers=headers))
            places = [await acknowledged for acknowledged in sent]
    pipeline.ends |= {place.partition: place.offset for place in places}


async def test_records_with_header_names_that_nobody_can_decode_are_counted_as_all_others(
    pipeline: Pipeline, environment: dict[str, str], tmp_path: Path
) -> None:
    traffic = Traffic()
    for compression in (None, "gzip"):
        pipeline.send(traffic.actions(300), lines=5)
        await send_with_bad_names(pipeline, traffic, compression)
        pipeline.send(traffic.actions(300), lines=5)
        if not pipeline.workers:
            pipeline.started()
        await pipeline.counted()

    await pipeline.is_exact()
    hours = sorted(pipeline.expected())
    with auditor(environment, tmp_path) as audit:
        assert audit()[0] == 0
        ended = collector(environment, "rebuild", "--from", format_hour(hours[0]), "--to", format_hour(hours[-1]))
        assert ended.returncode == 0, ended.stderr
        pipeline.workers[0].kill()
        pipeline.replacement()
        pipeline.send(traffic.actions(300), lines=5)
        await pipeline.counted()
        await pipeline.is_exact()
        assert audit()[0] == 0
