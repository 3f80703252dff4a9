"""A rebuild against real Kafka, real InfluxDB and real workers."""

import asyncio
import subprocess
from collections.abc import Callable

import msgspec
import pytest

from contract.hour import HOUR_MS, format_hour
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress, RecordMark
from contract.log.rebuild import REBUILD_HEADER
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.windows.hashes import pack_hashes
from contract.windows.window_value import WindowValue
from support.pipeline.collector_program import Auditor, collector
from support.pipeline.eventually import WITHIN, eventually_stored
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import remove_records

ACTIONS = 3_000
Rebuild = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rebuild(environment: dict[str, str]) -> Rebuild:
    def run(first: int, last: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
        hours = ("--from", format_hour(first), "--to", format_hour(last))
        return collector(environment, "rebuild", *hours, *arguments)

    return run


async def counted(pipeline: Pipeline, traffic: Traffic) -> None:
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    pipeline.append(b"not json", 2)
    pipeline.acknowledged()
    if not pipeline.workers:
        pipeline.started()
    await pipeline.counted()


async def damage(pipeline: Pipeline, hour: int) -> None:
    """The hour's stored windows and users are wrong from now on, on all partitions."""
    for point in await pipeline.store.read_windows(hour):
        value = msgspec.structs.replace(point.value, counts={"click": 1}, duplicates=9, unique_users=77)
        await pipeline.store.write_windows([point._replace(value=value)], [])
        segments = await pipeline.store.read_segments(hour, point.source, point.value)
        wrong = [SegmentPoint(point.source, hour, one._replace(users=pack_hashes([7]), ids=b"")) for one in segments]
        await pipeline.store.write_windows([], wrong)


async def test_wrong_hours_are_right_again_and_workers_go_on_from_there(
    pipeline: Pipeline, audit: Auditor, rebuild: Rebuild
) -> None:
    """Also those of another worker that loads what the first one stored of the rebuilt hours."""
    traffic = Traffic()
    await counted(pipeline, traffic)
    hours = sorted(pipeline.expected())
    for hour in hours:
        await damage(pipeline, hour)
    pipeline.workers[0].kill()
    pipeline.replacement()
    await counted(pipeline, traffic)
    assert audit()[0] == 1

    ended = rebuild(hours[0], hours[-1])

    assert (ended.returncode, ended.stdout.split(" ", 1)[0]) == (0, "rebuilt"), ended.stderr
    await pipeline.is_exact()
    pipeline.workers[1].kill()
    pipeline.replacement()
    await counted(pipeline, traffic)
    await pipeline.is_exact()
    assert audit()[0] == 0


async def test_late_actions_that_come_in_meanwhile_are_counted(pipeline: Pipeline, rebuild: Rebuild) -> None:
    traffic = Traffic()
    await counted(pipeline, traffic)
    hours = sorted(pipeline.expected())
    for hour in hours:
        await damage(pipeline, hour)

    running = asyncio.create_task(asyncio.to_thread(rebuild, hours[0], hours[-1]))
    while not running.done():
        pipeline.send(traffic.actions(200), lines=2)
        # Else this loop fills the log faster than anyone can count it.
        await pipeline.counted()
    ended = await running

    assert ended.returncode == 0, ended.stderr
    await pipeline.counted()
    await pipeline.is_exact()


async def test_an_hour_that_should_have_nothing_has_zeros(pipeline: Pipeline, rebuild: Rebuild) -> None:
    await counted(pipeline, Traffic())
    source, empty = LogPartition(pipeline.log, 1), pipeline.this_hour - 900 * HOUR_MS
    through = (await pipeline.through())[1]
    wrong = WindowValue(through, {"click": 5}, 1, 3, 4, 4)
    await pipeline.store.write_windows([WindowPoint(source, empty, 5, wrong)], [])

    ended = rebuild(empty, empty)

    assert ended.returncode == 0, ended.stderr
    assert await pipeline.numbers_of_hour(empty) == (await pipeline.numbers_of_hour(empty - HOUR_MS))
    await pipeline.is_exact()


async def test_it_may_be_run_again_and_other_hours_are_left_alone(pipeline: Pipeline, rebuild: Rebuild) -> None:
    traffic = Traffic()
    await counted(pipeline, traffic)
    hour = pipeline.this_hour
    for _ in range(2):
        assert rebuild(hour, hour).returncode == 0
        await counted(pipeline, traffic)
    await pipeline.is_exact()
    generations = {
        one: {point.value.generation for point in await pipeline.store.read_windows(one)} for one in pipeline.expected()
    }
    assert all(found == {0} for one, found in generations.items() if one != hour)
    assert len(generations[hour]) > 1


async def test_without_workers_it_says_so_and_they_take_over_when_they_come(
    pipeline: Pipeline, rebuild: Rebuild
) -> None:
    traffic = Traffic()
    await counted(pipeline, traffic)
    await damage(pipeline, pipeline.this_hour)
    pipeline.workers[0].kill()

    # It bounds also how long Kafka may take for the rebuild's records.
    ended = rebuild(pipeline.this_hour, pipeline.this_hour, "--patience", "15")

    assert ended.returncode == 1
    assert "workers have not reached the rebuild on partitions 0, 1, 2, 3" in ended.stderr
    pipeline.started()

    async def is_right() -> bool:
        return await pipeline.numbers() == pipeline.expected()

    await eventually_stored(is_right, WITHIN, pipeline.logs)


async def test_an_hour_of_which_records_were_removed_is_refused_and_nothing_is_changed(
    pipeline: Pipeline, rebuild: Rebuild
) -> None:
    await counted(pipeline, Traffic())
    remove_records(pipeline.admin, pipeline.topic, {3: 2})
    before = await pipeline.store.read_windows(pipeline.this_hour)

    ended = rebuild(pipeline.this_hour, pipeline.this_hour)

    assert ended.returncode == 2
    assert "nothing was changed: partition 3 begins at offset 2" in ended.stderr
    assert await pipeline.store.read_windows(pipeline.this_hour) == before


async def test_an_hour_that_begins_long_after_what_was_removed_is_right_again(
    pipeline: Pipeline, audit: Auditor, rebuild: Rebuild
) -> None:
    later = pipeline.this_hour + 6 * HOUR_MS
    for hour in (pipeline.this_hour, later):
        if hour == later:
            remove_records(pipeline.admin, pipeline.topic, {1: pipeline.ends[1] + 1, 3: 2})
        pipeline.send([Action(hour + number, f"user-{number}", "click") for number in range(200)], lines=10)
        if not pipeline.workers:
            pipeline.started()
        await pipeline.counted()
    await damage(pipeline, later)
    assert audit()[0] == 1

    ended = rebuild(later, later)

    assert ended.returncode == 0, ended.stderr
    assert await pipeline.numbers() == pipeline.expected()
    assert audit()[0] == 0


async def test_a_log_that_ends_below_its_progress_is_refused_and_nothing_is_changed(
    pipeline: Pipeline, rebuild: Rebuild
) -> None:
    await counted(pipeline, Traffic())
    pipeline.workers[0].kill()
    source = LogPartition(pipeline.log, 2)
    ahead = msgspec.structs.replace((await pipeline.progress())[2], through_offset=10**6)
    await pipeline.store.write_progress([ProgressPoint(source, 7, ahead)])
    before = await pipeline.store.read_windows(pipeline.this_hour)

    ended = rebuild(pipeline.this_hour, pipeline.this_hour)

    assert ended.returncode == 1
    assert "nothing was changed: partition 2 was counted through 1000000" in ended.stderr
    assert await pipeline.store.read_windows(pipeline.this_hour) == before


async def test_a_log_that_was_rewritten_below_its_progress_is_refused(pipeline: Pipeline, rebuild: Rebuild) -> None:
    await counted(pipeline, Traffic())
    pipeline.workers[0].kill()
    source = LogPartition(pipeline.log, 0)
    other = msgspec.structs.replace((await pipeline.progress())[0], mark=RecordMark(1, 1))
    await replace_progress(pipeline, source, other)
    before = await pipeline.store.read_windows(pipeline.this_hour, source)

    ended = rebuild(pipeline.this_hour, pipeline.this_hour)

    assert ended.returncode == 1
    assert "partition 0: the record at offset" in ended.stderr
    assert await pipeline.store.read_windows(pipeline.this_hour, source) == before


async def replace_progress(pipeline: Pipeline, source: LogPartition, value: Progress) -> None:
    """The highest progress is read: so this one stands one record further on."""
    pipeline.append(b"x", source.partition)
    pipeline.acknowledged()
    raised = msgspec.structs.replace(value, through_offset=value.through_offset + 1)
    await pipeline.store.write_progress([ProgressPoint(source, 7, raised)])


async def test_a_record_of_a_foreign_producer_that_says_it_is_a_rebuild_is_rejected(pipeline: Pipeline) -> None:
    pipeline.send([Action(pipeline.this_hour, "user-1", "click")])
    for partition in range(PARTITIONS):
        pipeline.append(b'{"generation":1}', partition, header=b"", name=REBUILD_HEADER)
    pipeline.acknowledged()
    pipeline.started()
    await pipeline.counted()
    assert [one.rejected for one in (await pipeline.progress()).values()] == [{"record_not_a_rebuild": 1}] * PARTITIONS
    await pipeline.is_exact()


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-24", "2026-11-24T09"), ("2026-11-24T10", "2026-11-24T09"), ("2026-11-24T10", "never")]
)
def test_malformed_hours_are_refused(environment: dict[str, str], first: str, last: str) -> None:
    assert collector(environment, "rebuild", "--from", first, "--to", last).returncode == 2
