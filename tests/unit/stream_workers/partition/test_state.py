from itertools import accumulate, pairwise
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import StoreUnavailable
from contract.log.action import RULES_VERSION
from contract.log.progress import Progress, RecordMark
from contract.windows.window_value import WindowValue
from support.fixtures.partition_state import EARLIER, flushed, folded, new_state, values
from support.fixtures.worker import AWAY, HOUR, WatchedStore, click, record, record_of


async def test_each_action_counts_in_the_hour_of_its_own_timestamp() -> None:
    state = await folded(
        new_state(),
        record(0, click("ada"), click("bob"), click("ada", event="impression")),
        record(1, click("ada", hour=EARLIER), click("ada")),
    )
    assert values(flushed(state)) == {
        HOUR: WindowValue(1, {"click": 3, "impression": 1}, 0, 2, 8, 8),
        EARLIER: WindowValue(1, {"click": 1}, 0, 1, 8, 8),
    }


async def test_a_line_whose_id_was_counted_in_its_hour_is_a_duplicate() -> None:
    state = await folded(
        new_state(),
        record(0, click("ada", action_id="x"), click("ada", action_id="x"), click("bob", action_id="x")),
        record(1, click("ada", action_id="x"), click("ada", hour=EARLIER, action_id="x")),
    )
    found = values(flushed(state))
    assert (found[HOUR].counts, found[HOUR].duplicates, found[HOUR].unique_users) == ({"click": 2}, 2, 2)
    assert (found[EARLIER].counts, found[EARLIER].duplicates) == ({"click": 1}, 0)


async def test_progress_tells_all_that_was_read() -> None:
    state = await folded(new_state(Progress(9, lines=100, lost=3, watermark=5)), record(10, click("ada"), click("bob")))
    last = record_of(12, b"poison\n")
    await folded(state, last)
    assert flushed(state).progress == Progress(
        12,
        lines=103,
        rejected={"not_json": 1},
        lost=3,
        watermark=HOUR + 12,
        rules=RULES_VERSION,
        mark=RecordMark(HOUR + 12, crc32(b"poison\n")),
    )


async def test_a_flush_that_ends_over_offsets_without_records_names_no_record_by_which_to_know_the_log() -> None:
    state = await folded(new_state(), record(10, click("ada")))
    assert state.pass_over(11, 14)
    flush = flushed(state)
    assert flush.progress == Progress(13, lines=1, watermark=HOUR + 10, mark=None)
    assert values(flush) == {HOUR: WindowValue(13, {"click": 1}, 0, 1, 8, 8)}
    state.committed(flush)
    await folded(state, record(14, click("ada")))
    assert flushed(state).progress.mark == RecordMark(HOUR + 14, crc32(record(14, click("ada")).value or b""))


async def test_offsets_without_records_are_stored_as_progress_alone() -> None:
    state = new_state(Progress(4, lines=3, watermark=HOUR, mark=RecordMark(1, 2)))
    assert state.pass_over(5, 7)
    assert not state.settled
    flush = flushed(state)
    assert flush.progress == Progress(6, lines=3, watermark=HOUR, mark=None)
    assert (flush.raw.lines, flush.windows, flush.segments, flush.rejected) == ([], [], [], [])


@pytest.mark.parametrize("first", [4, 6])
async def test_offsets_that_do_not_follow_on_what_was_folded_are_not_passed_over(first: int) -> None:
    state = new_state(Progress(4))
    assert not state.pass_over(first, 9)
    assert (state.folded, state.settled) == (4, True)


async def test_the_watermark_never_falls() -> None:
    state = await folded(new_state(Progress(0, watermark=HOUR + 1_000_000)), record(1, click("ada")))
    assert flushed(state).progress.watermark == HOUR + 1_000_000


async def test_one_flush_is_in_flight_at_a_time() -> None:
    state = await folded(new_state(), record(0, click("ada")))
    first = flushed(state)
    await folded(state, record(1, click("ada")))
    assert not state.may_flush
    assert state.snapshot() is None
    state.committed(first)
    assert flushed(state).progress.through_offset == 1


async def test_what_is_folded_during_a_flush_belongs_to_the_next_one() -> None:
    state = await folded(new_state(), record(0, click("ada")))
    first = flushed(state)
    before = msgspec.structs.asdict(values(first)[HOUR])
    await folded(state, record(1, click("bob")), record_of(2, b"poison"))
    assert msgspec.structs.asdict(values(first)[HOUR]) == before
    assert (first.progress.through_offset, len(first.raw.lines), first.rejected) == (0, 1, [])
    state.committed(first)
    second = flushed(state)
    assert (values(second)[HOUR].counts, values(second)[HOUR].unique_users) == ({"click": 2}, 2)
    assert len(second.rejected) == 1


async def test_windows_may_go_once_they_are_committed() -> None:
    state = await folded(new_state(), record(0, click("ada")))
    assert state.evictable() == []
    flush = flushed(state)
    assert state.evictable() == []
    state.committed(flush)
    assert [slot.hour for slot in state.evictable()] == [HOUR]
    await folded(state, record(1, click("ada")))
    assert state.evictable() == []


async def test_a_window_that_was_just_loaded_for_a_record_does_not_go_before_it_is_folded() -> None:
    """The store fails for the record's second hour: between the attempts a flush may evict."""
    store = WatchedStore()
    state = new_state()
    first = flushed(await folded(state, record(0, click("ada")), store=store))
    state.committed(first)
    two_hours = record(1, click("ada"), click("ada", hour=EARLIER))
    store.journal.failures["read windows"] = [AWAY]
    with pytest.raises(StoreUnavailable):
        await folded(state, two_hours, store=store)
    assert state.evictable() == []
    await folded(state, two_hours, store=store)
    assert {hour: value.counts for hour, value in values(flushed(state)).items()} == {
        HOUR: {"click": 2},
        EARLIER: {"click": 1},
    }


async def test_settled_means_that_all_that_was_folded_is_stored() -> None:
    state = new_state()
    assert state.settled
    await folded(state, record(0, click("ada")))
    assert not state.settled
    flush = flushed(state)
    assert not state.settled
    state.committed(flush)
    assert state.settled


@given(
    lines=st.lists(
        st.tuples(st.sampled_from([HOUR, EARLIER]), st.sampled_from("abc"), st.sampled_from([None, "x", "y"])),
        max_size=20,
    ),
    sizes=st.lists(st.integers(1, 4), min_size=20, max_size=20),
    cuts=st.sets(st.integers(0, 19)),
)
async def test_any_split_into_flushes_gives_the_same_values(
    lines: list[tuple[int, str, str | None]], sizes: list[int], cuts: set[int]
) -> None:
    bounds = [0, *accumulate(sizes)]
    actions = [click(user, hour=hour, action_id=action_id) for hour, user, action_id in lines]
    groups = [actions[begin:end] for begin, end in pairwise(bounds) if actions[begin:end]]
    records = [record(offset, *group) for offset, group in enumerate(groups)]
    once = await folded(new_state(), *records)
    flush_of_all = once.snapshot()
    expected = without_offsets({} if flush_of_all is None else values(flush_of_all))
    split = new_state()
    found: dict[int, WindowValue] = {}
    for one in records:
        await folded(split, one)
        if one.offset in cuts or one is records[-1]:
            flush = flushed(split)
            found |= values(flush)
            split.committed(flush)
    assert without_offsets(found) == expected
    assert split.progress == once.progress


def without_offsets(found: dict[int, WindowValue]) -> dict[int, WindowValue]:
    """An hour's last flush is not the log's last one."""
    return {hour: msgspec.structs.replace(value, through_offset=0) for hour, value in found.items()}
