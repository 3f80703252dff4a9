from collections.abc import Sequence

import msgspec
import pytest
from worker_world import AWAY, HOUR, SOURCE, PastLog, WatchedStore, click, no_pause, numbered_places, record

from contract.hashes import unpack_hashes
from contract.hour import HOUR_MS
from contract.progress import Progress
from contract.record import Record
from contract.store import SegmentPoint, WindowPoint
from contract.window_value import WindowValue
from stores.memory import MemoryStore
from stream_workers import compaction
from stream_workers.compaction import Compactor
from stream_workers.partition_state import PartitionState
from stream_workers.retry import Abandoned, Retry

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
    """A partition whose hour is over and lies in many small segments."""

    def __init__(self) -> None:
        self.store = WatchedStore()
        self.state = PartitionState(SOURCE, Progress(), numbered_places(), PastLog())
        self.compactor = Compactor(self.store, Retry(no_pause), many_segments=SEGMENTS)

    async def flush(self, one: Record) -> None:
        await self.state.fold(one, self.store)
        flush = self.state.snapshot()
        assert flush is not None
        await self.store.write_windows(flush.window_points(), flush.segments)
        self.state.committed(flush)

    async def fill(self, segments: int = SEGMENTS, *, over: bool = True) -> None:
        for offset in range(segments):
            await self.flush(record(offset, click(f"user-{offset}", action_id="x")))
        if over:
            await self.flush(later(segments))

    async def step(self) -> None:
        await self.compactor.step([self.state], lambda: True)

    def newest(self) -> WindowValue:
        values = [value for (_, hour, _), value in self.store.windows.items() if hour == HOUR]
        return max(values, key=lambda value: (value.through_offset, value.full_through))

    async def belonging(self) -> list[tuple[int, bool]]:
        """Segments that a load of the newest value reads: how many users, and whether it is a full one."""
        found = await self.store.read_segments(HOUR, SOURCE, self.newest())
        return [(len(unpack_hashes(one.users)), one.full) for one in found]


def later(offset: int) -> Record:
    """A record of the next hour."""
    return Record(0, offset, HOUR + HOUR_MS, record(offset, click("ada", hour=HOUR + HOUR_MS)).value, 8)


async def test_a_window_whose_hour_is_over_loads_from_one_full_segment() -> None:
    case = Case()
    await case.fill()
    before = case.newest()
    await case.step()
    assert case.newest() == msgspec.structs.replace(before, full_through=before.through_offset)
    assert await case.belonging() == [(SEGMENTS, True)]


async def test_an_hour_that_is_not_over_or_has_few_segments_is_left() -> None:
    for case, segments, over in [(Case(), SEGMENTS, False), (Case(), SEGMENTS - 1, True)]:
        await case.fill(segments, over=over)
        await case.step()
        assert case.newest().full_through == -1


async def test_it_is_done_once() -> None:
    case = Case()
    await case.fill()
    await case.step()
    case.store.journal.done.clear()
    await case.step()
    assert case.store.journal.done == []


async def test_the_value_goes_to_the_place_that_does_not_hold_the_committed_one() -> None:
    case = Case()
    await case.fill()
    places = {place for (_, hour, place), _ in case.store.windows.items() if hour == HOUR}
    await case.step()
    values = {p: v for (_, hour, p), v in case.store.windows.items() if hour == HOUR}
    assert set(values) == places
    assert sorted(value.full_through for value in values.values()) == [-1, SEGMENTS - 1]
    assert {value.through_offset for value in values.values()} == {SEGMENTS - 1}


async def test_a_place_whose_write_is_uncertain_is_not_used_again() -> None:
    case = Case()
    await case.fill()
    before = case.state.windows[HOUR].places.copy()
    # The parts are acknowledged, the first attempt at the value is not.
    case.store.journal.failures["windows"] = [AWAY]
    case.compactor = Compactor(PartsSucceed(case.store), Retry(no_pause), many_segments=SEGMENTS)
    await case.step()
    assert case.store.journal.failures["windows"] == []
    assert len(set(before) & set(case.state.windows[HOUR].places)) == 1
    assert case.newest().full_through == SEGMENTS - 1


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full segment takes several steps."""
    monkeypatch.setattr("contract.segment.MAX_SEGMENT_HASHES", 2)
    monkeypatch.setattr(compaction, "FEWER", 0)
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
    await case.flush(record(SEGMENTS + 1, click("late", action_id="y"), click("user-0", action_id="x")))
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
        await case.step()
    assert case.newest().full_through == -1


async def test_partitions_that_were_taken_away_are_not_written() -> None:
    case = Case()
    await case.fill()
    with pytest.raises(Abandoned):
        await case.compactor.step([case.state], lambda: False)
    assert case.newest().full_through == -1
