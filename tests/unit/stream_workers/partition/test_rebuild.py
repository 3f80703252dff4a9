"""A worker that comes to a rebuild in the log."""

import logging

import msgspec
import pytest

from contract.hour import HOUR_MS
from contract.log.progress import Progress
from contract.log.rebuild import Manifest, Rebuild
from contract.log.record import Record
from contract.store import ManifestPoint, SegmentPoint, WindowPoint
from contract.windows.hashes import hash_of_user, pack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import read_committed_segments
from stream_workers.partition.state import PartitionState
from support.fixtures.partition_state import EARLIER, flushed, values
from support.fixtures.worker import HOUR, SOURCE, PastLog, WatchedStore, click, numbered_slots, record

GENERATION = 1_764_000_000_000
USERS = ["ada", "bob", "cyd"]
MANIFEST = "b1946ac92492d2347c6235b4d2611184"


def rebuild_at(offset: int, through_offset: int, first: int = HOUR, end: int = HOUR + HOUR_MS) -> Record:
    value = Rebuild(generation=GENERATION, first=first, end=end, through_offset=through_offset).encode()
    return Record(SOURCE.partition, offset, HOUR + offset, value, 0, is_rebuild=True, manifest=MANIFEST)


async def store_base(store: WatchedStore, through_offset: int, *users: str, hour: int = HOUR) -> None:
    """What a rebuild stores before it tells the log."""
    hashes = pack_hashes([hash_of_user(user) for user in users])
    segment = Segment(through_offset, hashes, b"", generation=GENERATION)
    value = WindowValue(through_offset, {"click": len(users)}, 0, len(users), 8, 8, GENERATION)
    await store.write_windows([WindowPoint(SOURCE, hour, 77, value)], [SegmentPoint(SOURCE, hour, segment)])


class Case:
    """A worker whose windows are wrong by ten clicks, and the log that it counted."""

    def __init__(self) -> None:
        self.store = WatchedStore()
        self.log = PastLog(*(record(offset, click(user)) for offset, user in enumerate(USERS)))
        self.state = PartitionState(SOURCE, Progress(), numbered_slots(), self.log)

    async def count_wrongly(self) -> None:
        for one in self.log.records:
            await self.state.fold(one, self.store)
        self.state.windows[HOUR].window._counts["click"] = 10  # noqa: SLF001 - a fault from outside
        self.state.committed(flushed(self.state))

    async def rebuild_at(self, offset: int, through_offset: int) -> Record:
        """The record of a rebuild that took place."""
        one = rebuild_at(offset, through_offset)
        await self.authorize(one)
        return one

    async def authorize(self, one: Record) -> None:
        """The store has its manifest."""
        rebuild = Rebuild.decode(one.value, one.offset)
        assert rebuild is not None
        await self.store.write_manifests([ManifestPoint(SOURCE, Manifest(one.manifest, rebuild))])

    async def fold(self, *records: Record) -> WindowValue:
        for one in records:
            await self.state.fold(one, self.store)
        return values(flushed(self.state))[HOUR]


async def test_the_window_goes_on_from_the_rebuild_and_from_what_the_log_has_since() -> None:
    case = Case()
    await case.count_wrongly()
    await store_base(case.store, 0, "ada")
    found = await case.fold(await case.rebuild_at(3, 0), record(4, click("ada"), click("dan")))
    assert (found.counts, found.unique_users, found.generation) == ({"click": 5}, 4, GENERATION)


async def test_an_hour_that_gets_no_more_actions_is_written_anew_all_the_same() -> None:
    case = Case()
    await case.count_wrongly()
    await store_base(case.store, 2, *USERS)
    found = await case.fold(await case.rebuild_at(3, 2))
    assert (found.counts, found.through_offset) == ({"click": 3}, 3)


async def test_an_hour_that_should_be_empty_is_written_as_empty() -> None:
    case = Case()
    case.log.records.clear()
    await store_base(case.store, 2)
    found = await case.fold(await case.rebuild_at(3, 2))
    assert (found.counts, found.unique_users, found.generation) == ({"click": 0}, 0, GENERATION)


async def test_an_hour_that_came_up_since_is_counted_from_the_log() -> None:
    case = Case()
    case.log.records[0] = record(0, click("ada", hour=EARLIER))
    await case.count_wrongly()
    found = await case.fold(await case.rebuild_at(3, 0))
    assert found.counts == {"click": 2}


async def test_its_new_users_are_stored_with_its_generation_and_load_again() -> None:
    case = Case()
    await case.count_wrongly()
    await store_base(case.store, 1, "ada", "bob")
    for one in (await case.rebuild_at(3, 1), record(4, click("dan"))):
        await case.state.fold(one, case.store)
    flush = flushed(case.state)
    await case.store.write_windows(flush.window_points(), flush.segments)

    segments = await read_committed_segments(case.store, HOUR, SOURCE, values(flush)[HOUR])

    hashes = b"".join(segment.users for segment in segments)
    assert sorted(hashes[at : at + 8] for at in range(0, len(hashes), 8)) == sorted(
        pack_hashes([hash_of_user(user)]) for user in [*USERS, "dan"]
    )


async def test_hours_that_were_not_rebuilt_stay_as_they_are() -> None:
    case = Case()
    case.log.records.append(record(3, click("eve", hour=EARLIER)))
    await case.count_wrongly()
    await store_base(case.store, 3, *USERS)
    await case.state.fold(await case.rebuild_at(4, 3), case.store)
    await case.state.fold(record(5, click("eve", hour=EARLIER)), case.store)
    found = values(flushed(case.state))
    assert found[EARLIER].counts == {"click": 2}
    assert found[EARLIER].generation == 0


async def test_what_another_rebuild_stored_is_not_taken() -> None:
    case = Case()
    await case.count_wrongly()
    await store_base(case.store, 1, "ada", "bob")
    found = await case.fold(await case.rebuild_at(3, 2), record(4, click("dan")))
    assert found.counts == {"click": 3 + 10 + 1}


async def test_a_rebuild_takes_no_line_number() -> None:
    case = Case()
    await case.count_wrongly()
    await store_base(case.store, 2, *USERS)
    await case.state.fold(await case.rebuild_at(3, 2), case.store)
    assert flushed(case.state).progress == msgspec.structs.replace(
        case.state.progress, through_offset=3, lines=3, rejected={}, rebuilt=3
    )


async def test_a_rebuild_whose_records_are_gone_by_now_is_told_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = Case()
    await case.count_wrongly()
    case.log.removed_below = 2
    with caplog.at_level(logging.ERROR):
        found = await case.fold(await case.rebuild_at(3, 0), record(4, click("dan")))
    assert found.counts == {"click": 3 + 10 + 1}
    assert "not adopted" in caplog.text
