"""What is no action is counted as rejected, and kept in a topic of its own with where it stood."""

from typing import NamedTuple

from confluent_kafka import Consumer, Message, TopicPartition

from contract.hour import HOUR_MS
from contract.log.action import Action, encode_action
from contract.log.record import MAX_LINES
from support.pipeline.eventually import eventually
from support.pipeline.oracle import Numbers
from support.pipeline.pipeline import Pipeline
from support.pipeline.stored import stored_raw_lines

A_DAY = 24 * HOUR_MS
GOOD = encode_action(Action(A_DAY, "ada", "click"))
KEPT = 64 * 1024


class Case(NamedTuple):
    """A record, and the lines of it that are rejected: line number, code and value."""

    value: bytes | None
    rejected: list[tuple[int, str, bytes]]


NO_UTF8 = b'{"timestamp":1,"user":"\xff","event":"click"}'
MEGABYTE = b"x" * 990_000
LONG_LINE = b'{"timestamp":1,"user":"' + b"y" * 100_000 + b'","event":"click"}'
MANY = GOOD + b"\n" + (GOOD + b"\n") * MAX_LINES
CASES = [
    Case(GOOD + b"\npoison\n" + GOOD, [(1, "not_json", b"poison")]),
    Case(b"poison\n", [(0, "not_json", b"poison")]),
    Case(None, [(0, "record_null", b"")]),
    Case(b"", [(0, "record_empty", b"")]),
    Case(MEGABYTE, [(0, "record_too_large", MEGABYTE)]),
    Case(MANY, [(0, "record_too_many_lines", MANY)]),
    Case(
        b'{"timestamp":1,"user":"\xff","event":"click"}',
        [(0, "not_json", b'{"timestamp":1,"user":"\xff","event":"click"}')],
    ),
    Case(LONG_LINE + b"\n" + GOOD, [(0, "user_too_long", LONG_LINE)]),
    Case(b'{"timestamp":-1}\n[]\n' + GOOD, [(0, "user_missing", b'{"timestamp":-1}'), (1, "not_object", b"[]")]),
    Case(GOOD, []),
]


def everything_in(pipeline: Pipeline, number: int) -> list[Message]:
    """So many records of the topic of rejected lines."""
    consumer = Consumer({"bootstrap.servers": pipeline.bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(pipeline.rejected_topic, 0, 0)])
    found: list[Message] = []
    while len(found) < number:
        batch = consumer.consume(number - len(found), timeout=60)
        assert batch, f"{len(found)} of {number} rejected lines are there"
        found += batch
    assert consumer.poll(0.5) is None
    consumer.close()
    return found


async def test_whatever_a_record_holds_it_is_counted_by_line_and_its_bad_lines_are_kept(pipeline: Pipeline) -> None:
    worker = pipeline.started()
    for case in CASES:
        pipeline.append(case.value)
    pipeline.acknowledged()
    await pipeline.counted()

    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 5}, 0, 1)
    rejected = [line for case in CASES for line in case.rejected]
    progress = (await pipeline.progress())[0]
    assert progress.rejected == {code: [one[1] for one in rejected].count(code) for _, code, _ in rejected}
    assert progress.lines == 5 + len(rejected)
    # The store has it before the worker has noted that.
    await eventually(lambda: worker.metric("lines_total", outcome="rejected") == len(rejected))
    await eventually(lambda: worker.metric("lines_total", outcome="counted") == 5)
    assert await stored_raw_lines(pipeline.influx, pipeline.log) == {}  # older than the retention

    expected = {
        (
            ("code", code.encode()),
            ("log", pipeline.log.encode()),
            ("partition", b"0"),
            ("offset", str(offset).encode()),
            ("line", str(line).encode()),
            ("size", str(len(value)).encode()),
        ): value[:KEPT]
        for offset, case in enumerate(CASES)
        for line, code, value in case.rejected
    }
    kept = everything_in(pipeline, len(rejected))
    assert {tuple(message.headers() or []): message.value() or b"" for message in kept} == expected


async def test_progress_does_not_pass_a_rejected_line_before_its_topic_has_it(pipeline: Pipeline) -> None:
    worker = pipeline.started(rejected_topic="nobody-created-me")
    pipeline.append(GOOD)
    pipeline.append(b"poison")
    pipeline.acknowledged()
    await eventually(lambda: worker.metric("retries_total", attempt="publish rejected lines") > 0)
    readiness = worker.readiness()
    assert readiness is not None
    assert "nobody-created-me" in readiness["reason"]
    assert (await pipeline.progress()).get(0, None) is None
