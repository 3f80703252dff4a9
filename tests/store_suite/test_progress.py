"""What every store promises of progress."""

import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition, Progress, RecordMark
from contract.store import SLOTS, ProgressPoint, Store

LOG = "OldrkDJ2R4WmwCUXOqKyRw"
OTHER_LOG = "-_Tz1x8yQ4u0sK0XfJ2c9A"
SOURCE = LogPartition(LOG, 0)
NOVEMBER = 494_902 * HOUR_MS
A_YEAR = 365 * 24 * HOUR_MS


async def put(store: Store, source: LogPartition, slot: int, through_offset: int, watermark: int) -> None:
    await store.write_progress([ProgressPoint(source, slot, Progress(through_offset, watermark=watermark))])


async def offsets(store: Store, source: LogPartition | None = None) -> dict[LogPartition, int]:
    return {key: progress.through_offset for key, progress in (await store.read_progress(source)).items()}


async def test_an_empty_store_has_no_progress(store: Store) -> None:
    assert await store.read_progress() == {}
    assert await store.read_progress(SOURCE) == {}


@pytest.mark.parametrize(
    "progress",
    [
        Progress(),
        Progress(0, watermark=0),
        Progress(
            through_offset=10**12,
            lines=10**15,
            rejected={"not_json": 3, "user_empty": 10**12},
            lost=10**9,
            watermark=NOVEMBER + 1_234_567,
            rules=7,
            mark=RecordMark(NOVEMBER, 2**32 - 1),
        ),
        Progress(5, watermark=END_OF_TIME_MS - 1),
    ],
    ids=["before-the-first-record", "in-the-first-hour", "with-all-there-is", "in-the-last-hour"],
)
async def test_progress_comes_back_as_it_was_written(store: Store, progress: Progress) -> None:
    for slot in (0, SLOTS - 1):
        source = LogPartition(LOG, slot % 2)
        await store.write_progress([ProgressPoint(source, slot, progress)])
        assert await store.read_progress(source) == {source: progress}
    assert await store.read_progress() == {LogPartition(LOG, 0): progress, LogPartition(LOG, 1): progress}


async def test_the_highest_of_an_hours_slots_counts_in_whatever_order_they_were_written(store: Store) -> None:
    for slot, through_offset in [(7, 10), (3, 30), (SLOTS - 1, 20)]:
        await put(store, SOURCE, slot, through_offset, NOVEMBER)
    assert await offsets(store) == {SOURCE: 30}


async def test_the_highest_is_found_in_the_latest_hour_even_if_written_first(store: Store) -> None:
    await put(store, SOURCE, 1, 30, NOVEMBER + HOUR_MS)
    await put(store, SOURCE, SLOTS - 1, 20, NOVEMBER)
    assert await offsets(store) == {SOURCE: 30}
    assert await offsets(store, SOURCE) == {SOURCE: 30}


async def test_a_slot_s_value_is_replaced_by_a_higher_one(store: Store) -> None:
    await put(store, SOURCE, 5, 10, NOVEMBER)
    await put(store, SOURCE, 5, 11, NOVEMBER + 1)
    assert await offsets(store) == {SOURCE: 11}


async def test_a_source_that_has_been_idle_for_years_is_found_beside_a_recent_one(store: Store) -> None:
    idle, recent, never = (LogPartition(LOG, partition) for partition in range(3))
    await put(store, idle, 1, 10, NOVEMBER - 5 * A_YEAR)
    await put(store, recent, 1, 99, NOVEMBER)
    await put(store, never, 1, -1, -1)
    assert await offsets(store) == {idle: 10, recent: 99, never: -1}
    for source, through_offset in [(idle, 10), (recent, 99), (never, -1)]:
        assert await offsets(store, source) == {source: through_offset}


async def test_an_hour_that_another_source_has_too_does_not_hide_a_sources_own(store: Store) -> None:
    ahead, behind = LogPartition(LOG, 1), LogPartition(LOG, 2)
    await put(store, ahead, 1, 10, NOVEMBER - HOUR_MS)
    await put(store, ahead, 1, 20, NOVEMBER)
    await put(store, behind, 1, 5, NOVEMBER - HOUR_MS)
    assert await offsets(store) == {ahead: 20, behind: 5}


async def test_logs_are_told_apart(store: Store) -> None:
    old, new = LogPartition(OTHER_LOG, 0), LogPartition(LOG, 0)
    await put(store, old, 1, 1_000, NOVEMBER - A_YEAR)
    await put(store, new, 1, 3, NOVEMBER)
    assert await offsets(store) == {old: 1_000, new: 3}
    assert await offsets(store, old) == {old: 1_000}
    assert await offsets(store, new) == {new: 3}


async def test_partitions_whose_numbers_begin_alike_are_told_apart(store: Store) -> None:
    one, eleven = LogPartition(LOG, 1), LogPartition(LOG, 11)
    await put(store, one, 1, 1, NOVEMBER)
    await put(store, eleven, 1, 11, NOVEMBER)
    assert await offsets(store, one) == {one: 1}
    assert await offsets(store, eleven) == {eleven: 11}


async def test_every_point_of_one_call_is_stored(store: Store) -> None:
    sources = [LogPartition(LOG, partition) for partition in range(100)]
    await store.write_progress(
        [
            ProgressPoint(source, slot, Progress(source.partition * 1_000 + slot, watermark=NOVEMBER))
            for source in sources
            for slot in range(150)
        ]
    )
    assert await offsets(store) == {source: source.partition * 1_000 + 149 for source in sources}


async def test_nothing_to_write_is_written(store: Store) -> None:
    await store.write_progress([])
    assert await store.read_progress() == {}


async def test_a_store_that_answers_can_be_pinged(store: Store) -> None:
    await store.ping()
