import pytest

from contract.errors import StoreUnavailable
from contract.log.progress import Progress
from contract.store import SegmentPoint
from contract.windows.hashes import hash_of_id, hash_of_user, pack_hashes
from contract.windows.segment import Segment
from support.fixtures.partition_state import EARLIER, flushed, folded, new_state, put, values
from support.fixtures.worker import AWAY, HOUR, SOURCE, Journal, WatchedStore, click, record


async def test_a_record_that_was_folded_before_changes_nothing() -> None:
    state = await folded(new_state(), record(0, click("ada")), record(1, click("bob")))
    await folded(state, record(0, click("ada")), record(1, click("bob")))
    flush = flushed(state)
    assert values(flush)[HOUR].counts == {"click": 2}
    assert len(flush.raw.lines) == 2


async def test_a_record_below_the_start_changes_nothing() -> None:
    state = await folded(new_state(Progress(9)), record(5, click("ada")), record(9, click("bob")))
    assert state.snapshot() is None
    assert state.settled


async def test_a_replay_below_a_loaded_windows_offset_changes_no_count() -> None:
    store = WatchedStore()
    await put(store, 5, ["ada"])
    state = await folded(new_state(), *(record(offset, click("ada")) for offset in range(6)), store=store)
    assert values(flushed(state)) == {}


async def test_a_replay_still_adds_its_users_and_ids() -> None:
    """Else a user who came twice, before and after the window's offset, would be counted twice."""
    store = WatchedStore()
    await put(store, 5, [], [])
    state = await folded(new_state(), record(4, click("ada", action_id="x")), store=store)
    await folded(state, record(6, click("ada", action_id="x"), click("ada")), store=store)
    value = values(flushed(state))[HOUR]
    assert (value.counts, value.duplicates, value.unique_users) == ({"click": 11}, 3, 1)


async def test_a_window_is_loaded_with_its_segments_up_to_its_own_offset_only() -> None:
    """A later segment may be this worker's own earlier attempt: its ids would look like duplicates."""
    store = WatchedStore()
    await put(store, 5, ["ada"], [("ada", "x")])
    attempt = Segment(7, pack_hashes([hash_of_user("bob")]), pack_hashes([hash_of_id("bob", "y")]))
    await store.write_windows([], [SegmentPoint(SOURCE, HOUR, attempt)])
    state = new_state(Progress(5))
    await folded(state, record(6, click("ada", action_id="x")), record(7, click("bob", action_id="y")), store=store)
    value = values(flushed(state))[HOUR]
    assert (value.counts, value.duplicates, value.unique_users) == ({"click": 11}, 3, 2)


async def test_no_flush_ends_below_the_offset_of_a_loaded_window() -> None:
    store = WatchedStore()
    await put(store, 5, ["ada"])
    state = new_state(Progress(2))
    for offset in (3, 4):
        await folded(state, record(offset, click("ada")), store=store)
        assert not state.may_flush
        assert state.snapshot() is None
    await folded(state, record(5, click("ada")), store=store)
    assert flushed(state).progress.through_offset == 5


async def test_a_window_that_does_not_rise_is_not_written_nor_are_its_segments() -> None:
    store = WatchedStore()
    await put(store, 5, ["ada"])
    state = new_state(Progress(4))
    flush = flushed(await folded(state, record(5, click("bob"), click("ada", hour=EARLIER)), store=store))
    assert list(values(flush)) == [EARLIER]
    assert {point.hour for point in flush.segments} == {EARLIER}
    assert flush.progress.through_offset == 5
    assert len(flush.raw.lines) == 2


@pytest.mark.parametrize("what", ["read progress", "read windows", "read segments"])
async def test_a_record_whose_windows_could_not_be_loaded_counts_once(what: str) -> None:
    store = WatchedStore()
    await put(store, 0, ["ada"])
    store.journal.failures[what] = [AWAY]
    state, one = new_state(Progress(0)), record(1, click("bob"), click("ada", hour=EARLIER))
    with pytest.raises(StoreUnavailable):
        await folded(state, one, store=store)
    assert (state.folded, state.unflushed_lines, state.may_flush) == (0, 0, False)
    await folded(state, one, store=store)
    assert values(flushed(state))[HOUR].counts == {"click": 11}


async def test_a_window_in_memory_is_not_loaded_again() -> None:
    store = WatchedStore(Journal())
    state = await folded(new_state(), *(record(offset, click("ada")) for offset in range(5)), store=store)
    assert store.journal.done.count("read windows") == 1
    assert state.unflushed_lines == 5


async def test_what_another_owner_stored_ahead_of_us_is_settled() -> None:
    store = WatchedStore()
    await put(store, 5, ["ada"])
    state = await folded(new_state(Progress(2)), record(3, click("ada")), store=store)
    assert state.settled
    await folded(state, record(4, click("ada")), record(5, click("ada")), store=store)
    assert not state.settled
