from collections import Counter
from typing import NamedTuple
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import Action
from contract.log.event_names import MAX_EVENT_NAMES, OTHER_EVENTS
from contract.windows import segment, window
from contract.windows.hashes import hash_of_id, hash_of_user, unpack_hashes
from contract.windows.segment import Segment
from contract.windows.window import Window
from contract.windows.window_value import WindowValue


class Record(NamedTuple):
    """What one record has in the hour."""

    offset: int
    partitions: int
    actions: list[Action]


action = st.builds(
    Action,
    timestamp=st.just(0),
    user=st.sampled_from("abcde"),
    event=st.sampled_from(["click", "impression", "e"]),
    id=st.sampled_from([None, "1", "2"]),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Records with rising offsets; gaps between them are records without actions of the hour."""
    offsets = draw(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True).map(sorted))
    return [
        Record(offset, draw(st.integers(0, 3)), draw(st.lists(action, min_size=1, max_size=5))) for offset in offsets
    ]


def value_by_definition(log: list[Record], through_offset: int) -> WindowValue:
    """Counted in the plainest way."""
    records = [record for record in log if record.offset <= through_offset]
    counts: Counter[str] = Counter()
    users, ids, duplicates = set(), set(), 0
    for one in (one for record in records for one in record.actions):
        if one.id is not None and (one.user, one.id) in ids:
            duplicates += 1
            continue
        ids.add((one.user, one.id))
        users.add(one.user)
        counts[one.event] += 1
    named = [record.partitions for record in records]
    return WindowValue(
        through_offset, dict(counts), duplicates, len(users), min(named, default=0), max(named, default=0)
    )


def hashes_by_definition(log: list[Record], through_offset: int) -> tuple[set[int], set[int]]:
    actions = [one for record in log if record.offset <= through_offset for one in record.actions]
    return (
        {hash_of_user(one.user) for one in actions},
        {hash_of_id(one.user, one.id) for one in actions if one.id is not None},
    )


def hashes_in(segments: list[Segment]) -> tuple[set[int], set[int]]:
    users: set[int] = set()
    ids: set[int] = set()
    for one in segments:
        users.update(unpack_hashes(one.users))
        ids.update(unpack_hashes(one.ids))
    return users, ids


class Owner:
    """Folds the log from some offset on, with the window loaded from what is stored up to another."""

    def __init__(self, log: list[Record], loaded: WindowValue, segments: list[Segment], start: int) -> None:
        self.window = Window(loaded, segments)
        self._log, self._at = log, start

    def read_through(self, offset: int) -> tuple[WindowValue, list[Segment]] | None:
        for record in self._log:
            if self._at < record.offset <= offset:
                self.window.fold(record.offset, record.partitions, record.actions)
        self._at = offset
        return self.window.flush(offset)


@given(logs(), st.integers(1, 6), st.integers(1, 20), st.data())
def test_any_flushes_replays_and_reloads_give_the_values_and_hashes_that_the_log_defines(
    log: list[Record], limit: int, at_once: int, data: st.DataObject
) -> None:
    """Owners come one after another; each loads a value that was stored whole, and its last flush may be torn."""
    values = [WindowValue()]
    segments: dict[tuple[int, int, int], Segment] = {}
    for _ in range(data.draw(st.integers(1, 4), "owners")):
        loaded = data.draw(st.sampled_from(values), "loaded")
        stored = [one for one in segments.values() if one.through_offset <= loaded.through_offset]
        assert hashes_in(stored) == hashes_by_definition(log, loaded.through_offset)
        owner = Owner(log, loaded, stored, data.draw(st.integers(-1, loaded.through_offset), "replays from"))
        ends = st.lists(
            st.integers(loaded.through_offset + 1, loaded.through_offset + 20), min_size=1, max_size=4, unique=True
        )
        for end in sorted(data.draw(ends, "flushes")):
            with patch.object(segment, "MAX_SEGMENT_HASHES", limit), patch.object(window, "MANY_ACTIONS", at_once):
                flushed = owner.read_through(end)
            assert flushed is not None
            value, new = flushed
            assert value == value_by_definition(log, end)
            torn = data.draw(st.booleans(), "torn")
            arrived = [one for one in new if not torn or data.draw(st.booleans(), "arrived")]
            segments |= {(one.through_offset, one.part, one.parts): one for one in arrived}
            if torn:
                break
            values.append(value)


@given(logs(), st.data())
def test_a_flush_that_ends_where_the_window_was_loaded_stores_nothing(log: list[Record], data: st.DataObject) -> None:
    end = data.draw(st.integers(0, 31))
    loaded = value_by_definition(log, end)
    owner = Owner(log, loaded, [], -1)
    assert owner.read_through(end) is None
    assert owner.window.through_offset == end


@given(logs(), st.integers(0, 31))
def test_a_replay_teaches_the_window_what_missing_segments_held(log: list[Record], end: int) -> None:
    owner = Owner(log, value_by_definition(log, end), [], -1)
    owner.read_through(end)
    users, ids = hashes_by_definition(log, end)
    assert owner.window.hashes == len(users) + len(ids)


def test_no_number_of_event_names_makes_a_window_too_large_to_be_stored() -> None:
    """Clicks and impressions keep their names, whatever came before them."""
    window = Window(WindowValue())
    invented = [Action(0, "ada", f"event_{number}") for number in range(MAX_EVENT_NAMES + 5)]
    window.fold(0, 8, [*invented, *invented[:3], Action(0, "ada", "click"), Action(0, "ada", "impression")])
    flushed = window.flush(0)
    assert flushed is not None
    counts = flushed[0].counts
    assert (counts["event_0"], counts["event_2"], counts["event_3"]) == (2, 2, 1)
    assert (counts[OTHER_EVENTS], counts["click"], counts["impression"]) == (5, 1, 1)
    assert len(counts) == MAX_EVENT_NAMES + 3


def test_events_are_counted_under_the_same_names_however_they_come_in_flushes() -> None:
    invented = [Action(0, "ada", f"event_{number}") for number in range(MAX_EVENT_NAMES + 5)]
    at_once, bit_by_bit = Window(WindowValue()), Window(WindowValue())
    for offset, action in enumerate(invented):
        at_once.fold(offset, 8, [action])
        bit_by_bit.fold(offset, 8, [action])
        if offset % 300 == 0:
            flushed = bit_by_bit.flush(offset)
            assert flushed is not None
            bit_by_bit = Window(*flushed)
    end = len(invented) - 1
    assert at_once.flush(end)[0].counts == bit_by_bit.flush(end)[0].counts  # type: ignore[index] # both rise


def test_there_are_no_full_segments_while_some_hashes_may_be_from_beyond_their_offset() -> None:
    held = Window(WindowValue())
    with patch.object(window, "MANY_ACTIONS", 1):
        held.fold(0, 8, [Action(0, "ada", "click")])
        assert held.full_segments() == []
        held.flush(0)
        held.fold(1, 8, [Action(0, "bob", "click")])
        assert held.full_segments() == []
        held.flush(1)
    (full,) = held.full_segments()
    assert (full.through_offset, set(unpack_hashes(full.users).tolist())) == (1, {*map(hash_of_user, ["ada", "bob"])})
