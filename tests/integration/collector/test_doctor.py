"""The doctor against a real log."""

import json
from typing import Any

import pytest
from confluent_kafka import Producer

from contract.hour import HOUR_MS, format_hour, hour_of
from contract.log.action import Action, Rejection, encode_action, parse_line
from contract.log.partitioning import partition_of
from support.pipeline.collector_program import collector
from support.pipeline.pipeline import PARTITIONS, Pipeline, now
from support.services.kafka_log import read_log

USERS = [f"user-{number}" for number in range(200)]
NOT_JSON = parse_line(b"not json")
assert isinstance(NOT_JSON, Rejection)


class Doctor:
    """`collector doctor producers`, as programs read it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        ended = collector(self._environment, "doctor", "producers", "--json", *arguments)
        assert ended.stdout, ended.stderr
        return ended.returncode, json.loads(ended.stdout)


@pytest.fixture
def doctor(environment: dict[str, str]) -> Doctor:
    return Doctor(environment)


def append_by(pipeline: Pipeline, partitioner: str) -> None:
    """A record for each user with the user as its key, on the partition that librdkafka chooses."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "partitioner": partitioner, "log_level": 0})
    for user in USERS:
        line = encode_action(Action(1_764_000_000_000, user, "click", "1"))
        producer.produce(pipeline.topic, line, key=user, headers={"partitions": str(PARTITIONS)})
    assert producer.flush(60) == 0


def lines_elsewhere(pipeline: Pipeline) -> int:
    """How many of its lines don't lie where CRC-32 puts their user."""
    return sum(
        partition_of(json.loads(record.value)["user"], PARTITIONS) != record.partition
        for record in read_log(pipeline.bootstrap, pipeline.topic)
    )


def test_a_log_whose_records_are_keyed_by_crc_32_is_healthy(pipeline: Pipeline, doctor: Doctor) -> None:
    append_by(pipeline, "consistent_random")

    code, found = doctor()

    assert (code, found["healthy"], found["records"], found["findings"]) == (0, True, len(USERS), [])


def test_records_keyed_by_murmur2_are_recognized_by_the_lines_that_lie_elsewhere(
    pipeline: Pipeline, doctor: Doctor
) -> None:
    append_by(pipeline, "murmur2_random")

    code, found = doctor()

    elsewhere = lines_elsewhere(pipeline)
    (finding,) = found["findings"]
    assert 0 < elsewhere < len(USERS)
    assert (code, finding["mistake"]) == (1, "users_elsewhere")
    assert (finding["lines"], finding["records"], finding["as_java"]) == (elsewhere, elsewhere, elsewhere)


def test_lines_that_are_refused_are_shown_to_people_with_their_place_and_rule(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    pipeline.append(b'{"user":"a"}', 1)
    pipeline.append(b'{"user":"a"}\nnot json', 1)
    pipeline.acknowledged()

    ended = collector(environment, "doctor", "producers")

    first, second, verdict = ended.stdout.splitlines()
    assert ended.returncode == 1
    assert first.startswith("wrong: refused (timestamp_missing): 2 lines in 2 records. Counted nowhere; ")
    assert first.endswith(" The latest: partition 1 offset 1 line 0: timestamp is required")
    assert second.startswith("wrong: refused (not_json): 1 line in 1 record. Counted nowhere; ")
    assert second.endswith(f" The latest: partition 1 offset 1 line 1: {NOT_JSON.message}")
    looked_at = f"looked at 3 lines in 2 records of topic {pipeline.topic}, {PARTITIONS} partitions"
    assert verdict == f"not healthy, see docs/producers.md: {looked_at}"


def test_only_so_many_of_each_partition_s_last_records_are_looked_at(pipeline: Pipeline, doctor: Doctor) -> None:
    for partition in range(PARTITIONS):
        for value in (b"an old mistake", *[b"a newer one"] * 3):
            pipeline.append(value, partition)
    pipeline.acknowledged()

    _, last_three = doctor("--last", "3")
    _, more_than_there_are = doctor("--last", "1000")

    assert last_three["records"] == 3 * PARTITIONS
    assert more_than_there_are["records"] == 4 * PARTITIONS


def test_hours_are_those_in_which_kafka_took_the_records(pipeline: Pipeline, doctor: Doctor) -> None:
    begun = hour_of(now())
    pipeline.append(b"refused", 2)
    pipeline.acknowledged()
    ended = hour_of(now())

    assert doctor("--from", format_hour(begun), "--to", format_hour(ended))[1]["records"] == 1
    assert doctor("--from", format_hour(begun))[1]["records"] == 1
    assert doctor("--to", format_hour(begun - HOUR_MS))[1]["records"] == 0
    assert doctor("--from", format_hour(ended + HOUR_MS))[1]["records"] == 0


def test_a_log_that_cannot_be_read_has_an_exit_code_of_its_own(environment: dict[str, str]) -> None:
    ended = collector({**environment, "COLLECTOR_TOPIC": "no-such-topic"}, "doctor", "producers")

    assert ended.returncode == 2
    assert "collector: topic 'no-such-topic' does not exist" in ended.stderr
