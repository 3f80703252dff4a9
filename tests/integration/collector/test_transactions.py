"""Workers, audit and rebuild agree on what of transactions counts."""

import subprocess
from collections.abc import Callable

import pytest

from contract.hour import HOUR_MS, format_hour
from contract.log.action import RULES_VERSION, Action, encode_action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from support.pipeline.collector_program import Auditor, collector
from support.pipeline.oracle import Numbers
from support.pipeline.pipeline import Pipeline
from support.pipeline.traffic import Traffic
from support.transactions.producer import NewProducer

ACTIONS = 1_500
A_DAY = 24 * HOUR_MS
Rebuild = Callable[[int, int], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rebuild(environment: dict[str, str]) -> Rebuild:
    return lambda first, last: collector(
        environment, "rebuild", "--from", format_hour(first), "--to", format_hour(last)
    )


async def counted(pipeline: Pipeline, new_producer: NewProducer) -> None:
    """Committed and aborted transactions, and actions of none; the last offsets hold no record."""
    producer, traffic = new_producer(), Traffic()
    for number in range(5):
        producer.begin()
        producer.send((Traffic(seed=9) if number % 2 else traffic).actions(ACTIONS))
        await (producer.abort() if number % 2 else producer.commit())
        pipeline.send(traffic.actions(ACTIONS))
    producer.begin()
    producer.send(traffic.actions(ACTIONS))
    await producer.abort()
    if not pipeline.workers:
        pipeline.started()
    await pipeline.counted()


async def test_an_audit_finds_what_workers_counted(
    pipeline: Pipeline, new_producer: NewProducer, audit: Auditor
) -> None:
    await counted(pipeline, new_producer)

    code, verdict = audit()

    assert (code, verdict["differences"], verdict["not_judged"]) == (0, [], [])
    assert verdict["lines"] == sum(map(len, pipeline.lines.values()))
    assert verdict["through_offsets"] == {str(partition): end for partition, end in pipeline.ends.items()}
    await pipeline.is_exact()


async def test_a_rebuild_counts_what_workers_counted(
    pipeline: Pipeline, new_producer: NewProducer, audit: Auditor, rebuild: Rebuild
) -> None:
    await counted(pipeline, new_producer)
    hours = sorted(pipeline.expected())

    ended = rebuild(hours[0], hours[-1])

    assert (ended.returncode, ended.stdout.split(" ", 1)[0]) == (0, "rebuilt"), ended.stderr
    await pipeline.is_exact()
    assert audit()[0] == 0
    await counted(pipeline, new_producer)
    await pipeline.is_exact()


async def test_hours_that_counted_aborted_records_under_older_rules_are_right_after_a_rebuild(
    pipeline: Pipeline, new_producer: NewProducer, audit: Auditor, rebuild: Rebuild
) -> None:
    producer, source = new_producer(), LogPartition(pipeline.log, 0)
    for event in ("click", "impression"):
        producer.begin()
        producer.send([Action(A_DAY, "ada", event)])
        await (producer.commit() if event == "click" else producer.abort())
    # Offset 0 is the click, 1 a marker, 2 the impression, 3 a marker.
    older = WindowValue(2, {"click": 1, "impression": 1}, 0, 1, 4, 4)
    await pipeline.store.write_windows([WindowPoint(source, A_DAY, 1, older)], [])
    await pipeline.store.write_progress([ProgressPoint(source, 1, Progress(2, lines=2, watermark=1, rules=1))])
    code, verdict = audit()
    assert (code, [one["reason"] for one in verdict["not_judged"]]) == (
        2,
        [f"partition 0: counted by version 1 of the log's rules; this program has version {RULES_VERSION}"],
    )

    pipeline.started()
    pipeline.append(encode_action(Action(A_DAY, "ada", "click")))
    pipeline.acknowledged()
    await pipeline.counted()
    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 2, "impression": 1}, 0, 1)
    assert rebuild(A_DAY, A_DAY).returncode == 0

    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 2}, 0, 1)
    code, verdict = audit()
    assert [(one["what"], one["stored"]["lines"], one["recounted"]["lines"]) for one in verdict["differences"]] == [
        ("progress", 3, 2)
    ]
