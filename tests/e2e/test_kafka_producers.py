"""Each example of docs/producers.md that needs nothing but what `make test` has, on the whole pipeline."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from zlib import crc32

import httpx
import pytest
from confluent_kafka import Producer

from deploy.local.artifacts.installed import installed
from support.builds.java_compiler import compile_java
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import send
from support.pipeline.collector_program import collector
from support.producers.exactness import Action, Produce, is_exact, some_actions, until_counted
from support.producers.guide import example
from support.producers.running import run
from support.services.kafka_log import read_log

PARTITIONS = 8


def python(heading: str) -> Callable[[Pipeline, Path], Produce]:
    return lambda pipeline, _: lambda made: run([sys.executable, "-c", example(heading)], made, pipeline.environment)


def java(change: Callable[[str], str] = str) -> Callable[[Pipeline, Path], Produce]:
    """The page's class, after a change of its text."""

    def in_folder(pipeline: Pipeline, folder: Path) -> Produce:
        source = folder / "ActionsProducer.java"
        source.write_text(change(example("Java")))
        artifacts = installed()
        jars = sorted(artifacts.kafka_jars.glob("*.jar"))
        class_path = ":".join(map(str, [compile_java(source, jars), *jars]))
        return lambda made: run([artifacts.java, "-cp", class_path, "ActionsProducer"], made, pipeline.environment)

    return in_folder


@pytest.mark.parametrize(
    "producer",
    [
        pytest.param(python("confluent-kafka"), id="confluent-kafka"),
        pytest.param(python("Many actions a record"), id="many-actions-a-record"),
        pytest.param(python("aiokafka"), id="aiokafka"),
        pytest.param(java(), id="java"),
    ],
)
async def test_an_example_s_actions_count_once_also_if_they_come_again_by_http(
    producer: Callable[[Pipeline, Path], Produce], pipeline: Pipeline, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    await is_exact(pipeline, http, producer(pipeline, tmp_path))

    ended = collector(pipeline.environment, "doctor", "producers", "--json")
    assert (ended.returncode, json.loads(ended.stdout)["findings"]) == (0, [])


def librdkafka_by_murmur2(headers: dict[str, str]) -> Callable[[Pipeline, Path], Produce]:
    def on(pipeline: Pipeline, _: Path) -> Produce:
        def produce(made: Sequence[Action]) -> None:
            producer = Producer({"bootstrap.servers": pipeline.bootstrap, "partitioner": "murmur2_random"})
            for action in made:
                producer.produce(pipeline.topic, json.dumps(action), key=action["user"], headers=headers)
            assert producer.flush(60) == 0

        return produce

    return on


def as_java_is_unless_told_otherwise(source: str) -> str:
    """Without the setting, nor the header."""
    kept = [line for line in source.splitlines() if "partitioner.class" not in line and ".headers()" not in line]
    assert len(kept) == len(source.splitlines()) - 2
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("producer", "with_header"),
    [
        pytest.param(java(as_java_is_unless_told_otherwise), False, id="java"),
        pytest.param(librdkafka_by_murmur2({}), False, id="librdkafka"),
        pytest.param(librdkafka_by_murmur2({"partitions": str(PARTITIONS)}), True, id="with-header"),
    ],
)
async def test_the_trap_by_murmur2_and_by_http_an_id_counts_twice_and_with_the_header_a_user_too(
    producer: Callable[[Pipeline, Path], Produce],
    with_header: bool,  # noqa: FBT001 - a parameter of the test
    pipeline: Pipeline,
    http: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    pipeline.start_worker()
    pipeline.wait_until_ready()
    made = some_actions()

    producer(pipeline, tmp_path)(made)
    await until_counted(pipeline, http, made)
    elsewhere = actions_elsewhere(pipeline)
    await send(http, pipeline.ingest_url, made)

    # Seven of eight, more or less.
    assert len(elsewhere) > 0.75 * len(made)
    again = [
        {**action, "user": f"{action['user']} elsewhere"} if with_header else {**action, "id": f"{action['id']} again"}
        for action in elsewhere
    ]
    await until_counted(pipeline, http, [*made, *again])
    ended = collector(pipeline.environment, "doctor", "producers", "--json")
    finding = json.loads(ended.stdout)["findings"][0]
    assert (ended.returncode, finding["mistake"]) == (1, "users_elsewhere")
    assert finding["lines"] == finding["as_java"] == len(elsewhere)


def actions_elsewhere(pipeline: Pipeline) -> list[Action]:
    """Those that don't lie where CRC-32 puts their user."""
    read = ((record.partition, json.loads(record.value)) for record in read_log(pipeline.bootstrap, pipeline.topic))
    return [action for partition, action in read if crc32(action["user"].encode()) % PARTITIONS != partition]
