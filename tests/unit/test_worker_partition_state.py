from collections.abc import Collection
from itertools import accumulate, pairwise
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worker_world import AWAY, HOUR, SOURCE, Journal, WatchedStore, click, numbered_places, record, record_of

from contract.action import RULES_VERSION, Action
from contract.errors import LogTruncated, StoreUnavailable
from contract.hour import HOUR_MS
from contract.progress import Progress, RecordMark
from contract.record import MAX_BYTES, MAX_LINES, Record
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.window import Segment, WindowValue, hash_of_id, hash_of_user, pack_hashes
from stream_workers.partition_state import PartitionFlush, PartitionState, RejectedLine

EARLIER = HOUR - 1_000 * HOUR_MS


def new_state(start: Progress | None = None) -> PartitionState:
    return PartitionState(SOURCE, start or Progress(), numbered_places())


async def folded(state: PartitionState, *records: Record, store: WatchedStore | None = None) -> PartitionState:
    store = store or WatchedStore()
    for one in records:
        await state.fold(one, store)
    return state


def flushed(state: PartitionState) -> PartitionFlush:
    flush = state.snapshot()
    assert flush is not None
    return flush


def values(flush: PartitionFlush) -> dict[int, WindowValue]:
    return {point.hour: point.value for point in flush.window_points()}


async def put(
    store: WatchedStore, through_offset: int, users: Collection[str], ids: Collection[tuple[str, str]] = ()
) -> None:
    """Another owner's window and progress, through the same offset."""
    value = WindowValue(through_offset, {"click": 10}, 2, len(users), 8, 8)
    segment = Segment(
        through_offset, pack_hashes(map(hash_of_user, users)), pack_hashes(hash_of_id(*one) for one in ids)
    )
    await store.write_windows([WindowPoint(SOURCE, HOUR, 10**6, value)], [SegmentPoint(SOURCE, HOUR, segment)])
    await store.write_progress([ProgressPoint(SOURCE, 10**6, Progress(through_offset, watermark=HOUR))])


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


async def test_the_watermark_never_falls() -> None:
    state = await folded(new_state(Progress(0, watermark=HOUR + 1_000_000)), record(1, click("ada")))
    assert flushed(state).progress.watermark == HOUR + 1_000_000


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


async def test_rejected_lines_keep_their_line_numbers() -> None:
    state = new_state(Progress(0, lines=40))
    await folded(state, record_of(1, b'poison\n{"timestamp":1,"user":"ada","event":"click"}\n{"user":"bob"}\n'))
    flush = flushed(state)
    assert flush.raw == (SOURCE, 40, [None, Action(1, "ada", "click"), None])
    assert flush.rejected == [
        RejectedLine(SOURCE, 1, 0, b"poison", "not_json"),
        RejectedLine(SOURCE, 1, 2, b'{"user":"bob"}', "timestamp_missing"),
    ]
    assert (flush.progress.lines, flush.progress.rejected) == (43, {"not_json": 1, "timestamp_missing": 1})


async def test_the_next_flush_numbers_its_lines_on() -> None:
    state = await folded(new_state(), record_of(0, b"poison\n"), record(1, click("ada")))
    first = flushed(state)
    state.committed(first)
    second = flushed(await folded(state, record(2, click("ada"), click("bob")), record_of(3, b"poison")))
    assert (first.raw.first_line, len(first.raw.lines)) == (0, 2)
    assert (second.raw.first_line, len(second.raw.lines)) == (2, 3)
    assert second.progress.rejected == {"not_json": 2}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "record_null"),
        (b"", "record_empty"),
        (b"{" * (MAX_BYTES + 1), "record_too_large"),
        (b"{}\n" * (MAX_LINES + 1), "record_too_many_lines"),
    ],
    ids=["null", "empty", "too-large", "too-many-lines"],
)
async def test_a_record_that_is_refused_as_a_whole_is_one_rejected_line(value: bytes | None, code: str) -> None:
    flush = flushed(await folded(new_state(), record_of(0, value)))
    assert flush.raw.lines == [None]
    assert flush.rejected == [RejectedLine(SOURCE, 0, 0, value or b"", code)]
    assert flush.progress.mark == RecordMark(HOUR, crc32(value or b""))


@pytest.mark.parametrize("value", [b"poison\n", b"poison"], ids=["with-newline", "without"])
async def test_a_rejected_line_is_kept_without_its_newline(value: bytes) -> None:
    assert flushed(await folded(new_state(), record_of(0, value))).rejected[0].value == b"poison"


async def test_nothing_but_rejected_lines_moves_progress_too() -> None:
    flush = flushed(await folded(new_state(), record_of(0, b"poison")))
    assert values(flush) == {}
    assert flush.progress.through_offset == 0


async def test_the_record_at_progress_is_recognised() -> None:
    first = record(9, click("ada"))
    start = Progress(9, mark=RecordMark(first.timestamp, crc32(first.value or b"")))
    state = await folded(new_state(start), first, record(10, click("ada")))
    assert values(flushed(state))[HOUR].counts == {"click": 1}


@pytest.mark.parametrize("mark", [RecordMark(HOUR + 9, 1), RecordMark(1, crc32(b"value"))], ids=["value", "timestamp"])
async def test_another_record_at_progress_means_that_the_log_was_truncated(mark: RecordMark) -> None:
    state = new_state(Progress(9, mark=mark))
    with pytest.raises(LogTruncated, match="offset 9"):
        await folded(state, record_of(9, b"value"))


async def test_where_progress_remembers_no_record_any_will_do() -> None:
    assert (await folded(new_state(Progress(9)), record_of(9, b"value"))).folded == 9


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


async def test_a_windows_two_places_are_written_in_turn() -> None:
    state, places = new_state(), []
    for offset in range(4):
        flush = flushed(await folded(state, record(offset, click("ada"))))
        (point,) = flush.window_points()
        places.append(point.place)
        state.committed(flush)
    assert places[0] != places[1]
    assert places == places[:2] * 2


async def test_a_place_is_drawn_anew_for_the_value_that_was_uncertain_only() -> None:
    state = new_state()
    first = flushed(await folded(state, record(0, click("ada"))))
    (committed,) = first.window_points()
    state.committed(first)
    second = flushed(await folded(state, record(1, click("ada"))))
    (uncertain,) = second.window_points()

    second.draw_window_places()

    (again,) = second.window_points()
    assert len({committed.place, uncertain.place, again.place}) == 3
    assert again.value == uncertain.value
    state.committed(second)
    third = flushed(await folded(state, record(2, click("ada"))))
    assert [point.place for point in third.window_points()] == [committed.place]


async def test_each_window_and_each_state_has_places_of_its_own() -> None:
    places = numbered_places()
    states = [PartitionState(SOURCE, Progress(), places) for _ in range(2)]
    drawn = [state.progress_place for state in states]
    for state in states:
        await folded(state, record(0, click("ada"), click("ada", hour=EARLIER)))
        drawn += [place for held in state.windows.values() for place in held.places]
    assert len(set(drawn)) == len(drawn) == 10


async def test_windows_may_go_once_they_are_committed() -> None:
    state = await folded(new_state(), record(0, click("ada")))
    assert state.evictable() == []
    flush = flushed(state)
    assert state.evictable() == []
    state.committed(flush)
    assert [held.hour for held in state.evictable()] == [HOUR]
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


async def test_settled_means_that_all_that_was_folded_is_stored() -> None:
    state = new_state()
    assert state.settled
    await folded(state, record(0, click("ada")))
    assert not state.settled
    flush = flushed(state)
    assert not state.settled
    state.committed(flush)
    assert state.settled


async def test_what_another_owner_stored_ahead_of_us_is_settled() -> None:
    store = WatchedStore()
    await put(store, 5, ["ada"])
    state = await folded(new_state(Progress(2)), record(3, click("ada")), store=store)
    assert state.settled
    await folded(state, record(4, click("ada")), record(5, click("ada")), store=store)
    assert not state.settled


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
