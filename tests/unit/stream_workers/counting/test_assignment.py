import asyncio

import pytest

from contract.action import RULES_VERSION
from contract.errors import LogTruncated, RulesTooOld
from contract.progress import LogPartition, Progress, RecordMark
from stream_workers.faust_adapter.ports import Acquired
from stream_workers.retry import Abandoned
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, HOUR, LOG, quiet
from support.fixtures.writer import A_LONG_TIME, GENERATION, Kit


@timeless
async def test_a_partition_that_nobody_counted_is_read_from_its_beginning() -> None:
    kit = Kit()
    assert await kit.acquire() == 0
    assert kit.writer.partitions == [0]
    assert kit.store.progress == {}


@timeless
async def test_a_partition_is_read_on_from_the_stores_progress() -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    await kit.store_progress(Progress(70, mark=RecordMark(1, 2)), partition=1)
    first, second = [
        await kit.assignment.acquire(LogPartition(LOG, partition), 0, 1_000, GENERATION) for partition in (0, 1)
    ]
    assert first == Acquired(read_from=50, next_offset=50)
    assert second == Acquired(read_from=70, next_offset=71)


@timeless
async def test_the_progress_that_a_worker_starts_from_is_acknowledged_under_its_own_slot_first() -> None:
    kit, seen = Kit(), Progress(49, lines=60, watermark=HOUR)
    await kit.store_progress(seen)
    kit.journal.hold("progress")
    taking = asyncio.create_task(kit.acquire())
    await quiet()
    assert not taking.done()
    assert kit.writer.partitions == []

    kit.journal.let("progress")

    assert await taking == 50
    assert len(kit.store.progress) == 2
    assert set(map(repr, kit.store.progress.values())) == {repr(seen)}


@timeless
async def test_taking_over_waits_for_a_store_that_is_away() -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    kit.journal.failures["read progress"] = [AWAY] * 7
    kit.journal.failures["progress"] = [AWAY] * 7
    assert await kit.acquire() == 50


@timeless
async def test_lost_records_are_stored_as_progress_before_anything_is_read() -> None:
    kit = Kit()
    await kit.store_progress(Progress(9, lines=10))
    assert await kit.acquire(beginning=50) == 50
    assert kit.store.stored() == Progress(49, lines=50, lost=40)


@pytest.mark.parametrize(
    ("progress", "error"), [(Progress(1_000), LogTruncated), (Progress(5, rules=RULES_VERSION + 1), RulesTooOld)]
)
@timeless
async def test_a_log_that_progress_does_not_fit_is_refused(progress: Progress, error: type[Exception]) -> None:
    kit = Kit()
    await kit.store_progress(progress)
    with pytest.raises(error):
        await kit.acquire()
    assert kit.writer.partitions == []


@pytest.mark.parametrize("held", ["read progress", "progress"])
@timeless
async def test_a_partition_that_is_taken_away_while_it_is_taken_over_is_given_up(held: str) -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    kit.journal.hold(held)
    taking = asyncio.create_task(kit.acquire())
    await quiet()
    await kit.writer.release(A_LONG_TIME)
    kit.journal.let(held)
    with pytest.raises(Abandoned):
        await taking
    assert kit.writer.partitions == []
