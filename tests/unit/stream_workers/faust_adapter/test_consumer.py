"""Taking partitions over: the store says where to read from, and nothing passes before."""

import asyncio

import pytest
from aiokafka.errors import CommitFailedError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from prometheus_client import REGISTRY

from contract.errors import LogReplaced, LogTruncated, LogUnfit
from contract.progress import LogPartition
from stream_workers.faust_adapter.consumer import SEEK_WITHIN
from stream_workers.retry import Abandoned
from support.fixtures.consumer import GENERATION, TOPIC, Kit, tps
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import LOG, quiet


@timeless
async def test_a_fresh_assignment_is_read_from_where_the_owner_says_and_kafka_is_told() -> None:
    kit = Kit()
    kit.has(0, range(3, 10))
    kit.has(1, range(20))
    kit.owner.starts = {0: 4, 1: 17}
    kit.assign(0, 1)
    assert not kit.consumer.joined

    await kit.consumer.perform_seek()

    assert sorted(kit.owner.taken) == [
        (LogPartition(LOG, 0), 3, 10, GENERATION),
        (LogPartition(LOG, 1), 0, 20, GENERATION),
    ]
    # One more: the owner has the first record to be read already, and only wants to recognise it.
    assert kit.thread.committed == {0: 5, 1: 18}
    assert kit.consumer.joined
    assert sorted(await kit.read()) == [(0, 4), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (1, 17), (1, 18), (1, 19)]


@timeless
async def test_nothing_passes_before_the_seek() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.assign(0)
    kit.thread.positions = {TP(TOPIC, 0): 0}
    assert await kit.read() == []


@timeless
async def test_a_seek_while_nothing_is_fresh_does_nothing() -> None:
    """Faust seeks whenever it fetches while the flow is stopped: in the middle of a drain too."""
    kit = Kit()
    kit.has(0, range(10))
    kit.assign(0)
    await kit.consumer.perform_seek()
    await kit.consumer.perform_seek()
    assert len(kit.owner.taken) == 1
    assert len(kit.thread.seeks) == 1


@timeless
async def test_an_assignment_of_nothing_is_taken_over_by_doing_nothing() -> None:
    kit = Kit()
    kit.assign()
    await kit.consumer.perform_seek()
    assert kit.thread.seeks == []


@timeless
async def test_a_seek_ends_in_time_while_the_store_is_away_and_records_pass_once_it_is_back() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.owner.starts = {0: 8}
    kit.owner.let.clear()
    kit.assign(0)
    began = asyncio.get_running_loop().time()
    await kit.consumer.perform_seek()
    assert asyncio.get_running_loop().time() - began == pytest.approx(SEEK_WITHIN)
    kit.has(0, range(12))
    assert await kit.read() == []
    assert not kit.consumer.joined

    kit.owner.let.set()
    await quiet()

    assert await kit.read() == [(0, 8), (0, 9), (0, 10), (0, 11)]
    assert kit.consumer.joined


@pytest.mark.parametrize("away_for", [0.0, 60.0])
@timeless
async def test_a_log_that_is_refused_stops_the_worker_at_once_or_late(away_for: float) -> None:
    kit = Kit()
    kit.owner.error = LogTruncated("it ends too early")
    kit.owner.let.clear()
    kit.assign(0)
    seeking = asyncio.create_task(kit.consumer.perform_seek())
    await asyncio.sleep(away_for)
    kit.owner.let.set()
    await quiet()
    assert seeking.exception() is kit.owner.error or kit.consumer.crash_reason is kit.owner.error
    assert not kit.consumer.joined


@pytest.mark.parametrize("waits", [1.0, 60.0], ids=["while-seeking", "later"])
@timeless
async def test_partitions_that_are_revoked_while_they_are_taken_over_are_given_up(waits: float) -> None:
    """A seek that ended as cancelled would end Faust's recovery for good: the worker would never read again."""
    kit = Kit()
    kit.has(0, range(10))
    kit.owner.let.clear()
    kit.assign(0)
    seeking = asyncio.create_task(kit.consumer.perform_seek())
    await asyncio.sleep(waits)
    kit.thread.assigned = set()
    await kit.consumer.on_partitions_revoked(tps(0))
    await quiet()

    assert seeking.done()
    assert not seeking.cancelled()
    assert isinstance(seeking.exception(), RebalanceAgain | None)
    kit.owner.let.set()
    await quiet()
    assert kit.owner.taken == []
    assert kit.thread.committed == {}
    assert not kit.consumer.joined


@timeless
async def test_what_the_owner_gives_up_is_not_read() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.owner.error = Abandoned("taken away")
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.thread.positions = {TP(TOPIC, 0): 0}
    assert await kit.read() == []
    assert not kit.consumer.joined


@timeless
async def test_at_a_revocation_the_owner_is_sealed_then_released_and_nothing_passes_any_more() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.assign(0)
    await kit.consumer.perform_seek()
    await kit.consumer.on_partitions_revoked(tps(0))
    assert kit.owner.journal == ["fence", "release 5.0"]
    assert not kit.consumer.joined
    kit.assign(0)
    kit.consumer.resume_partitions(tps(0))
    kit.consumer.resume_flow()
    assert await kit.read() == []


@timeless
async def test_records_of_a_fetch_that_was_under_way_before_the_seek_are_dropped() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.owner.starts = {0: 8}
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.thread.stale = [{TP(TOPIC, 0): [2, 3, 4]}]
    assert await kit.read(2) == [(0, 8), (0, 9)]


@timeless
async def test_a_hole_is_fetched_once_more_from_where_it_begins() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.thread.stale = [{TP(TOPIC, 0): [0, 1, 5, 6]}]
    assert await kit.read(2) == [(0, offset) for offset in range(10)]
    assert kit.thread.seeks == [{0: 0}, {0: 2}]


@timeless
async def test_a_hole_of_the_log_itself_passes_after_that_and_is_known_as_one() -> None:
    kit = Kit()
    kit.has(0, [0, 1, 5, 6])
    kit.assign(0)
    await kit.consumer.perform_seek()
    assert await kit.read(3) == [(0, 0), (0, 1), (0, 5), (0, 6)]
    assert kit.thread.seeks == [{0: 0}, {0: 2}]
    assert kit.consumer.gate.is_hole(0, 2, 5)


NOWHERE = [NoOffsetForPartitionError(TP(TOPIC, 0)), OffsetOutOfRangeError({TP(TOPIC, 0): 5})]


@pytest.mark.parametrize("error", NOWHERE, ids=["no-commit", "commit-outside-the-log"])
@timeless
async def test_what_kafka_says_of_commits_before_the_seek_harms_nobody(error: Exception) -> None:
    """A fetch that was under way at an assignment is told, although we never meant to start from a commit."""
    kit = Kit()
    kit.has(0, range(3))
    kit.assign(0)
    kit.thread.fetch_error = error
    assert await kit.read() == []
    kit.thread.fetch_error = None
    await kit.consumer.perform_seek()
    assert await kit.read() == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("error", NOWHERE, ids=["no-commit", "outside-the-log"])
@timeless
async def test_a_position_that_the_log_does_not_have_is_an_error_after_the_seek(error: Exception) -> None:
    kit = Kit()
    kit.has(0, range(3))
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.thread.fetch_error = error
    with pytest.raises(type(error)):
        await kit.read()


@timeless
async def test_while_draining_nothing_new_is_fetched_whatever_happens() -> None:
    kit = Kit()
    kit.has(0, range(10))
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.consumer.drain()
    assert not kit.consumer.flow_active
    kit.consumer.pause_partitions(tps(0))
    kit.consumer.resume_partitions(tps(0))
    kit.consumer.resume_flow()
    assert not kit.consumer.flow_active
    assert kit.fetched == set()


@timeless
async def test_a_full_mailbox_takes_no_partition_out_of_the_fetch() -> None:
    kit = Kit()
    kit.assign(0)
    kit.consumer.on_buffer_full(TP(TOPIC, 0))
    assert kit.fetched == tps(0)


@timeless
async def test_only_what_is_still_assigned_is_committed() -> None:
    kit = Kit()
    kit.assign(0)
    await kit.consumer.commit_offsets({0: 5, 1: 7})
    assert kit.thread.committed == {0: 5}


@timeless
async def test_a_refused_commit_is_counted_and_harms_nobody() -> None:
    kit = Kit()
    kit.assign(0)
    kit.thread.commit_error = CommitFailedError()
    name = "collector_worker_commit_failures_total"
    before = REGISTRY.get_sample_value(name) or 0
    await kit.consumer.commit_offsets({0: 5})
    assert REGISTRY.get_sample_value(name) == before + 1


@timeless
async def test_a_topic_that_was_created_again_between_two_assignments_stops_the_worker() -> None:
    kit = Kit()
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.topic.id = "another"
    kit.assign(0)
    with pytest.raises(LogReplaced):
        await kit.consumer.perform_seek()
    assert len(kit.owner.taken) == 1


@pytest.mark.parametrize(("found", "error"), [(None, LogUnfit), ("another", LogReplaced)], ids=["gone", "another"])
@timeless
async def test_an_assignment_of_nothing_because_the_topic_is_gone_stops_the_worker(
    found: str | None, error: type[Exception]
) -> None:
    """It would wait in silence for a topic that may come back as another log."""
    kit = Kit()
    kit.assign(0)
    await kit.consumer.perform_seek()
    kit.topic.id = found
    kit.thread.assigned = set()
    await kit.consumer.on_partitions_assigned(set(), GENERATION + 1)
    assert isinstance(kit.consumer.crash_reason, error)


@timeless
async def test_an_assignment_of_nothing_is_no_trouble_where_others_have_it_all() -> None:
    kit = Kit()
    kit.thread.assigned = set()
    await kit.consumer.on_partitions_assigned(set(), GENERATION)
    assert kit.consumer.crash_reason is None
    assert kit.consumer.joined
