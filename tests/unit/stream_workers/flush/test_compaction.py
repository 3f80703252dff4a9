from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from contract.hour import HOUR_MS
from contract.log.progress import Progress
from contract.log.record import Record
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.windows.hashes import unpack_hashes
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from stream_workers.flush import compaction
from stream_workers.flush.compaction import Compactor
from stream_workers.partition.state import PartitionState
from stream_workers.retry import Abandoned, RetryPolicy
from support.fixtures.worker import AWAY, HOUR, SOURCE, PastLog, WatchedStore, click, no_pause, numbered_slots, record

SEGMENTS = 6


class PartsSucceed(MemoryStore):
    """Only writes of values meet the failures of the store beneath."""

    def __init__(self, beneath: WatchedStore) -> None:
        super().__init__()
        self._beneath = beneath

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        if windows:
            await self._beneath.write_windows(windows, segments)
        else:
            await MemoryStore.write_windows(self._beneath, windows, segments)


class Case:
    """A partition with an hour that lies in many small segments."""

    def __init__(self) -> None:
        self.store = WatchedStore()
        self.state = PartitionState(SOURCE, Progress(), numbered_slots(), PastLog())
        self.compactor = Compactor(self.store, RetryPolicy(no_pause), many_segments=SEGMENTS)

    async def flush(self, one: Record) -> None:
        await self.state.fold(one, self.store)
        flush = self.state.snapshot()
        assert flush is not None
        self.compactor.choose([self.state])
        await self.store.write_windows(flush.window_points(), flush.segments)
        self.state.committed(flush)

    async def fill(self, segments: int = SEGMENTS) -> None:
        for offset in range(segments):
            await self.flush(record(offset, click(f"user-{offset}", action_id="x")))

    async def step(self) -> None:
        await self.compactor.step([self.state], lambda: True)

    def newest(self) -> WindowValue:
        values = [value for (_, hour, _), value in self.store.windows.items() if hour == HOUR]
        return max(values, key=lambda value: (value.through_offset, value.full_through))

    async def belonging(self) -> list[tuple[int, bool]]:
        """Segments that a load of the newest value reads: how many users, and whether it is a full one."""
        found = await self.store.read_segments(HOUR, SOURCE, self.newest())
        return [(len(unpack_hashes(one.users)), one.full) for one in found]


async def test_a_window_of_many_segments_loads_from_one_full_one() -> None:
    case = Case()
    await case.fill()
    before = case.newest()
    await case.step()
    assert case.newest() == msgspec.structs.replace(before, full_through=before.through_offset)
    assert await case.belonging() == [(SEGMENTS, True)]


async def test_the_value_that_a_compacted_one_replaces_stays_where_it_is() -> None:
    """No progress was committed in between: a reader may have passed the compacted one's slot already."""
    case = Case()
    await case.fill()
    before = case.newest()
    await case.step()
    for offset in (SEGMENTS, SEGMENTS + 1):
        await case.flush(record(offset, click(f"user-{offset}")))
    assert before in case.store.windows.values()


async def test_a_window_of_few_segments_is_left() -> None:
    case = Case()
    await case.fill(SEGMENTS - 1)
    await case.step()
    assert case.newest().full_through == -1


async def test_a_window_whose_hashes_take_longer_to_load_than_its_segments_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compaction, "HASHES_PER_SEGMENT", 1)
    case = Case()
    # A user and an id in each.
    await case.fill()
    await case.step()
    assert case.newest().full_through == -1
    # The hour is over: it is done all the same, this once.
    await case.flush(Record(0, SEGMENTS, HOUR + HOUR_MS, record(SEGMENTS, click("ada")).value, 8))
    await case.step()
    assert case.newest().full_through == SEGMENTS


async def test_an_hour_that_is_being_counted_is_compacted_each_time_it_has_many_segments_again() -> None:
    case, referred = Case(), []
    records = [record(offset, click(f"user-{offset}", action_id="x")) for offset in range(5 * SEGMENTS + 2)]
    for one, following in pairwise(records):
        await case.flush(one)
        # Folding goes on before the compaction has its turn.
        await case.state.fold(following, case.store)
        await case.step()
        referred.append(case.newest().full_through)
        assert sum(not full for _, full in await case.belonging()) <= SEGMENTS
    assert sorted(set(referred)) == [-1, *range(SEGMENTS - 1, 5 * SEGMENTS, SEGMENTS)]
    assert sum(number for number, _ in await case.belonging()) == 5 * SEGMENTS + 1


async def test_a_window_that_was_loaded_from_many_segments_is_compacted_with_the_next_flush() -> None:
    case = Case()
    case.compactor = Compactor(case.store, RetryPolicy(no_pause), many_segments=10**6)
    await case.fill()
    await case.store.write_progress([ProgressPoint(SOURCE, 0, case.state.progress)])
    case.compactor = Compactor(case.store, RetryPolicy(no_pause), many_segments=SEGMENTS)
    case.state = PartitionState(SOURCE, case.state.progress, numbered_slots(), PastLog())
    await case.flush(record(SEGMENTS, click("user-0", action_id="x"), click("ada", action_id="x")))
    await case.step()
    assert case.newest().full_through == SEGMENTS
    assert await case.belonging() == [(SEGMENTS + 1, True)]


async def test_the_window_with_the_most_segments_comes_first() -> None:
    case = Case()
    await case.fill(SEGMENTS)
    other = HOUR + HOUR_MS
    for offset in range(SEGMENTS, 2 * SEGMENTS + 1):
        await case.flush(record(offset, click(f"user-{offset}", hour=other)))
    case.compactor = Compactor(case.store, RetryPolicy(no_pause), many_segments=SEGMENTS)
    case.compactor.choose([case.state])
    await case.step()
    assert case.newest().full_through == -1
    assert case.state.windows[other].window.value.full_through == 2 * SEGMENTS


async def test_it_is_done_once() -> None:
    case = Case()
    await case.fill()
    await case.step()
    case.store.journal.done.clear()
    case.compactor.choose([case.state])
    await case.step()
    assert case.store.journal.done == []


async def test_the_value_goes_to_the_slot_that_does_not_hold_the_committed_one() -> None:
    case = Case()
    await case.fill()
    slots = {slot for (_, hour, slot), _ in case.store.windows.items() if hour == HOUR}
    await case.step()
    values = {p: v for (_, hour, p), v in case.store.windows.items() if hour == HOUR}
    assert set(values) == slots
    assert sorted(value.full_through for value in values.values()) == [-1, SEGMENTS - 1]
    assert {value.through_offset for value in values.values()} == {SEGMENTS - 1}


async def test_a_slot_whose_write_is_uncertain_is_not_used_again() -> None:
    case = Case()
    await case.fill()
    before = case.state.windows[HOUR].slots.copy()
    # The parts are acknowledged, the first attempt at the value is not.
    case.store.journal.failures["windows"] = [AWAY]
    case.compactor = Compactor(PartsSucceed(case.store), RetryPolicy(no_pause), many_segments=SEGMENTS)
    case.compactor.choose([case.state])
    await case.step()
    assert case.store.journal.failures["windows"] == []
    assert case.newest().full_through == SEGMENTS - 1
    assert {slot for (_, _, slot), value in case.store.windows.items() if value == case.newest()} - set(before)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full segment takes several steps."""
    monkeypatch.setattr("contract.windows.segment.MAX_SEGMENT_HASHES", 2)
    monkeypatch.setattr(compaction, "PARTS_AT_ONCE", 1)


@pytest.mark.usefixtures("small_parts")
async def test_no_value_refers_to_parts_before_all_are_acknowledged() -> None:
    case = Case()
    await case.fill()
    steps = 0
    while case.newest().full_through == -1:
        assert not any(full for _, full in await case.belonging())
        await case.step()
        steps += 1
    assert steps > 1
    assert sum(number for number, full in await case.belonging() if full) == SEGMENTS


@pytest.mark.usefixtures("small_parts")
async def test_what_comes_between_its_steps_is_counted_on_top() -> None:
    case = Case()
    await case.fill()
    await case.step()
    await case.flush(record(SEGMENTS, click("late", action_id="y"), click("user-0", action_id="x")))
    while case.newest().full_through == -1:
        await case.step()
    value = case.newest()
    assert (value.counts, value.duplicates, value.unique_users) == ({"click": SEGMENTS + 1}, 1, SEGMENTS + 1)
    assert sum(number for number, _ in await case.belonging()) == SEGMENTS + 1
    assert (1, False) in await case.belonging()


@pytest.mark.usefixtures("small_parts")
async def test_a_window_that_was_evicted_meanwhile_is_given_up() -> None:
    case = Case()
    await case.fill()
    await case.step()
    del case.state.windows[HOUR]
    for _ in range(10):
        case.compactor.choose([case.state])
        await case.step()
    assert case.newest().full_through == -1


async def test_partitions_that_were_taken_away_are_not_written() -> None:
    case = Case()
    await case.fill()
    with pytest.raises(Abandoned):
        await case.compactor.step([case.state], lambda: False)
    assert case.newest().full_through == -1
