"""Taking partitions over: the store says where to read from, and nothing passes before."""

import asyncio

import pytest
from aiokafka.errors import CommitFailedError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from contract.errors import LogReplaced, LogTruncated, LogUnfit
from contract.log.progress import LogPartition
from stream_workers.faust_adapter.consumer import SEEK_WITHIN
from stream_workers.metrics import LISTED
from stream_workers.retry import Abandoned
from support.fixtures.consumer import GENERATION, TOPIC, ConsumerFixture, tps
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import LOG, quiet


@timeless
async def test_a_fresh_assignment_is_read_from_where_the_owner_says_and_kafka_is_told() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(3, 10))
    fixture.has(1, range(20))
    fixture.owner.starts = {0: 4, 1: 17}
    fixture.assign(0, 1)
    assert not fixture.consumer.joined

    await fixture.consumer.perform_seek()

    assert sorted(fixture.owner.taken) == [
        (LogPartition(LOG, 0), 3, 10, GENERATION),
        (LogPartition(LOG, 1), 0, 20, GENERATION),
    ]
    # One more: the owner has the first record to be read already, and only wants to recognise it.
    assert fixture.thread.committed == {0: 5, 1: 18}
    assert fixture.consumer.joined
    assert sorted(await fixture.read()) == [(0, 4), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (1, 17), (1, 18), (1, 19)]


@timeless
async def test_nothing_passes_before_the_seek() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    fixture.thread.positions = {TP(TOPIC, 0): 0}
    assert await fixture.read() == []


@timeless
async def test_a_seek_while_nothing_is_fresh_does_nothing() -> None:
    """Faust seeks whenever it fetches while the flow is stopped: in the middle of a drain too."""
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    await fixture.consumer.perform_seek()
    assert len(fixture.owner.taken) == 1
    assert len(fixture.thread.seeks) == 1


@timeless
async def test_an_assignment_of_nothing_is_taken_over_by_doing_nothing() -> None:
    fixture = ConsumerFixture()
    fixture.assign()
    await fixture.consumer.perform_seek()
    assert fixture.thread.seeks == []


@timeless
async def test_a_seek_ends_in_time_while_the_store_is_away_and_records_pass_once_it_is_back() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.owner.starts = {0: 8}
    fixture.owner.let.clear()
    fixture.assign(0)
    began = asyncio.get_running_loop().time()
    await fixture.consumer.perform_seek()
    assert asyncio.get_running_loop().time() - began == pytest.approx(SEEK_WITHIN)
    fixture.has(0, range(12))
    assert await fixture.read() == []
    assert not fixture.consumer.joined

    fixture.owner.let.set()
    await quiet()

    assert await fixture.read() == [(0, 8), (0, 9), (0, 10), (0, 11)]
    assert fixture.consumer.joined


@pytest.mark.parametrize("away_for", [0.0, 60.0])
@timeless
async def test_a_log_that_is_refused_stops_the_worker_at_once_or_late(away_for: float) -> None:
    fixture = ConsumerFixture()
    fixture.owner.error = LogTruncated("it ends too early")
    fixture.owner.let.clear()
    fixture.assign(0)
    seeking = asyncio.create_task(fixture.consumer.perform_seek())
    await asyncio.sleep(away_for)
    fixture.owner.let.set()
    await quiet()
    assert seeking.exception() is fixture.owner.error or fixture.consumer.crash_reason is fixture.owner.error
    assert not fixture.consumer.joined


@pytest.mark.parametrize("waits", [1.0, 60.0], ids=["while-seeking", "later"])
@timeless
async def test_partitions_that_are_revoked_while_they_are_taken_over_are_given_up(waits: float) -> None:
    """A seek that ended as cancelled would end Faust's recovery for good: the worker would never read again."""
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.owner.let.clear()
    fixture.assign(0)
    seeking = asyncio.create_task(fixture.consumer.perform_seek())
    await asyncio.sleep(waits)
    fixture.thread.assigned = set()
    await fixture.consumer.on_partitions_revoked(tps(0))
    await quiet()

    assert seeking.done()
    assert not seeking.cancelled()
    assert isinstance(seeking.exception(), RebalanceAgain | None)
    fixture.owner.let.set()
    await quiet()
    assert fixture.owner.taken == []
    assert fixture.thread.committed == {}
    assert not fixture.consumer.joined


@timeless
async def test_what_the_owner_gives_up_is_not_read() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.owner.error = Abandoned("taken away")
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.positions = {TP(TOPIC, 0): 0}
    assert await fixture.read() == []
    assert not fixture.consumer.joined


@timeless
async def test_at_a_revocation_the_owner_is_sealed_then_released_and_nothing_passes_any_more() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    await fixture.consumer.on_partitions_revoked(tps(0))
    assert fixture.owner.journal == ["fence", "release 5.0"]
    assert not fixture.consumer.joined
    fixture.assign(0)
    fixture.consumer.resume_partitions(tps(0))
    fixture.consumer.resume_flow()
    assert await fixture.read() == []


@timeless
async def test_records_of_a_fetch_that_was_under_way_before_the_seek_are_dropped() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.owner.starts = {0: 8}
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.stale = [{TP(TOPIC, 0): [2, 3, 4]}]
    assert await fixture.read(2) == [(0, 8), (0, 9)]


@timeless
async def test_what_was_fetched_and_reached_nobody_is_fetched_again_though_nothing_follows_on_it() -> None:
    """A fetch from before a rebalance may end between the seek and Faust's resuming of the flow."""
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.has(1, range(5))
    fixture.owner.starts = {0: 7, 1: 5}
    fixture.assign(0, 1)
    await fixture.consumer.perform_seek()

    fixture.thread.hand_out_to_nobody()

    assert await fixture.read() == [(0, 7), (0, 8), (0, 9)]
    assert fixture.thread.seeks[1:] == [{0: 7}]


@timeless
async def test_what_was_handed_out_and_passed_is_not_fetched_again() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.follows = True
    assert await fixture.read(2) == [(0, offset) for offset in range(10)]
    assert len(fixture.thread.seeks) == 1


@timeless
async def test_what_was_fetched_of_a_partition_that_is_not_counted_yet_is_left_to_its_seek() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    fixture.thread.positions = {TP(TOPIC, 0): 0}
    fixture.thread.hand_out_to_nobody()
    assert await fixture.read() == []
    assert fixture.thread.seeks == []


@timeless
async def test_a_store_that_answers_while_the_end_of_the_log_is_asked_for_is_not_sought_away_from() -> None:
    """Else nothing would be read until the next record shows the hole."""
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.owner.starts = {0: 8}
    fixture.owner.let.clear()
    fixture.assign(0)
    seeking = asyncio.create_task(fixture.consumer.perform_seek())
    await asyncio.sleep(SEEK_WITHIN / 2)

    async def answered() -> None:
        fixture.owner.let.set()
        await quiet()

    fixture.thread.before_highwaters = answered
    await seeking
    assert await fixture.read() == [(0, 8), (0, 9)]


@timeless
async def test_a_hole_is_fetched_once_more_from_where_it_begins() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.stale = [{TP(TOPIC, 0): [0, 1, 5, 6]}]
    assert await fixture.read(2) == [(0, offset) for offset in range(10)]
    assert fixture.thread.seeks == [{0: 0}, {0: 2}]


@timeless
async def test_a_hole_that_the_fetcher_passed_over_by_itself_passes_at_once_and_is_known_as_one() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, [0, 1, 5, 6])
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.follows = True
    seeks = len(fixture.thread.seeks)

    assert await fixture.read() == [(0, 0), (0, 1), (0, 5), (0, 6)]

    assert len(fixture.thread.seeks) == seeks
    assert fixture.consumer.gate.is_hole(0, 2, 5)


@timeless
async def test_a_hole_of_the_log_itself_passes_after_that_and_is_known_as_one() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, [0, 1, 5, 6])
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    assert await fixture.read(3) == [(0, 0), (0, 1), (0, 5), (0, 6)]
    assert fixture.thread.seeks == [{0: 0}, {0: 2}]
    assert fixture.consumer.gate.is_hole(0, 2, 5)


NOWHERE = [NoOffsetForPartitionError(TP(TOPIC, 0)), OffsetOutOfRangeError({TP(TOPIC, 0): 5})]


@pytest.mark.parametrize("error", NOWHERE, ids=["no-commit", "commit-outside-the-log"])
@timeless
async def test_what_kafka_says_of_commits_before_the_seek_harms_nobody(error: Exception) -> None:
    """A fetch that was under way at an assignment is told, although we never meant to start from a commit."""
    fixture = ConsumerFixture()
    fixture.has(0, range(3))
    fixture.assign(0)
    fixture.thread.fetch_error = error
    assert await fixture.read() == []
    fixture.thread.fetch_error = None
    await fixture.consumer.perform_seek()
    assert await fixture.read() == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("error", NOWHERE, ids=["no-commit", "outside-the-log"])
@timeless
async def test_a_position_that_the_log_does_not_have_is_an_error_after_the_seek(error: Exception) -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(3))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.thread.fetch_error = error
    with pytest.raises(type(error)):
        await fixture.read()


@timeless
async def test_while_draining_nothing_new_is_fetched_whatever_happens() -> None:
    fixture = ConsumerFixture()
    fixture.has(0, range(10))
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.consumer.drain()
    assert not fixture.consumer.flow_active
    fixture.consumer.pause_partitions(tps(0))
    fixture.consumer.resume_partitions(tps(0))
    fixture.consumer.resume_flow()
    assert not fixture.consumer.flow_active
    assert fixture.fetched == set()


@timeless
async def test_a_full_mailbox_takes_no_partition_out_of_the_fetch() -> None:
    fixture = ConsumerFixture()
    fixture.assign(0)
    fixture.consumer.on_buffer_full(TP(TOPIC, 0))
    assert fixture.fetched == tps(0)


@timeless
async def test_only_what_is_still_assigned_is_committed() -> None:
    fixture = ConsumerFixture()
    fixture.assign(0)
    await fixture.consumer.commit_offsets({0: 5, 1: 7})
    assert fixture.thread.committed == {0: 5}


@timeless
async def test_a_refused_commit_is_counted_and_harms_nobody() -> None:
    fixture = ConsumerFixture()
    fixture.assign(0)
    fixture.thread.commit_error = CommitFailedError()
    name = "collector_worker_commit_failures_total"
    before = LISTED.registry.get_sample_value(name) or 0
    await fixture.consumer.commit_offsets({0: 5})
    assert LISTED.registry.get_sample_value(name) == before + 1


@timeless
async def test_a_topic_that_was_created_again_between_two_assignments_stops_the_worker() -> None:
    fixture = ConsumerFixture()
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.topic.id = "another"
    fixture.assign(0)
    with pytest.raises(LogReplaced):
        await fixture.consumer.perform_seek()
    assert len(fixture.owner.taken) == 1


@pytest.mark.parametrize(("found", "error"), [(None, LogUnfit), ("another", LogReplaced)], ids=["gone", "another"])
@timeless
async def test_an_assignment_of_nothing_because_the_topic_is_gone_stops_the_worker(
    found: str | None, error: type[Exception]
) -> None:
    """It would wait in silence for a topic that may come back as another log."""
    fixture = ConsumerFixture()
    fixture.assign(0)
    await fixture.consumer.perform_seek()
    fixture.topic.id = found
    fixture.thread.assigned = set()
    await fixture.consumer.on_partitions_assigned(set(), GENERATION + 1)
    assert isinstance(fixture.consumer.crash_reason, error)


@timeless
async def test_an_assignment_of_nothing_is_no_trouble_where_others_have_it_all() -> None:
    fixture = ConsumerFixture()
    fixture.thread.assigned = set()
    await fixture.consumer.on_partitions_assigned(set(), GENERATION)
    assert fixture.consumer.crash_reason is None
    assert fixture.consumer.joined


@timeless
async def test_each_assignment_is_counted_one_of_nothing_too() -> None:
    fixture, name = ConsumerFixture(), "collector_worker_rebalances_total"
    before = LISTED.registry.get_sample_value(name) or 0
    fixture.thread.assigned = set()
    for generation in (GENERATION, GENERATION + 1):
        await fixture.consumer.on_partitions_assigned(set(), generation)
    assert LISTED.registry.get_sample_value(name) == before + 2
