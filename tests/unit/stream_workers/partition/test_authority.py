"""Only the store says which record is a rebuild's; who may write the log may say what they like."""

import msgspec
import pytest

from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest, Rebuild
from contract.log.record import Record
from contract.store import ManifestPoint, StoreReader
from contract.windows.window_value import WindowValue
from stream_workers.partition.state import PartitionState
from stream_workers.retry import RetryPolicy
from stream_workers.retrying_reader import RetryingReader
from support.fixtures.partition_state import flushed, folded, new_state, values
from support.fixtures.worker import AWAY, HOUR, LOG, SOURCE, WatchedStore, click, no_pause, numbered_slots, record
from support.fixtures.worker import PastLog as Log

REBUILD = Rebuild(generation=1_764_000_000_000, first=HOUR, end=HOUR + HOUR_MS, through_offset=1)
MANIFEST = "b1946ac92492d2347c6235b4d2611184"
USERS = ["ada", "bob", "cyd"]
CLICKS = [record(offset, click(user)) for offset, user in enumerate(USERS)]


def says(rebuild: Rebuild, offset: int, manifest: str = MANIFEST) -> Record:
    """A record that says it is this rebuild."""
    return Record(0, offset, HOUR + offset, rebuild.encode(), 0, is_rebuild=True, manifest=manifest)


async def store_with(rebuild: Rebuild = REBUILD, source: LogPartition = SOURCE) -> WatchedStore:
    store = WatchedStore()
    await store.write_manifests([ManifestPoint(source, Manifest(MANIFEST, rebuild))])
    return store


async def counted() -> PartitionState:
    """A partition with three clicks, all of them stored."""
    state = await folded(PartitionState(SOURCE, Progress(), numbered_slots(), Log(*CLICKS)), *CLICKS)
    state.committed(flushed(state))
    return state


FORGED = [
    pytest.param(says(REBUILD, 3, "made up"), "rebuild_unknown", id="made-up"),
    pytest.param(says(REBUILD, 3, ""), "rebuild_unknown", id="as-before-there-were-manifests"),
    *(
        pytest.param(says(msgspec.structs.replace(REBUILD, **{field: value}), 3), "rebuild_altered", id=field)
        for field, value in [("generation", 5), ("first", 0), ("end", HOUR + 2 * HOUR_MS), ("through_offset", 0)]
    ),
]


@pytest.mark.parametrize(("forged", "code"), FORGED)
async def test_a_record_that_the_store_does_not_vouch_for_changes_no_number(forged: Record, code: str) -> None:
    state, store = await counted(), await store_with()
    await folded(state, forged, record(4, click("dan")), store=store)
    flush = flushed(state)
    assert values(flush)[HOUR] == WindowValue(4, {"click": 4}, 0, 4, 8, 8)
    assert flush.progress == msgspec.structs.replace(flush.progress, through_offset=4, lines=4, rejected={}, rebuilt=-1)
    assert [(one.offset, one.line, one.value, one.code) for one in flush.refused] == [(3, 0, forged.value, code)]


@pytest.mark.parametrize("source", [LogPartition(LOG, 1), LogPartition("another-log", 0)])
async def test_the_manifest_of_another_partition_or_log_is_none_of_this_one(source: LogPartition) -> None:
    state = await counted()
    await folded(state, says(REBUILD, 3), store=await store_with(source=source))
    assert [one.code for one in flushed(state).refused] == ["rebuild_unknown"]


async def test_a_copy_of_a_rebuild_that_took_effect_has_none() -> None:
    state = await counted()
    await folded(state, says(REBUILD, 3), says(REBUILD, 4), store=await store_with())
    flush = flushed(state)
    assert [(one.offset, one.code) for one in flush.refused] == [(4, "rebuild_superseded")]
    assert flush.progress.rebuilt == 3


async def test_it_has_none_for_a_later_owner_either_who_starts_from_the_store() -> None:
    later = new_state(Progress(3, rebuilt=3))
    await folded(later, says(REBUILD, 4), store=await store_with())
    assert [one.code for one in flushed(later).refused] == ["rebuild_superseded"]


async def test_a_rebuild_that_read_the_record_of_the_last_one_takes_effect() -> None:
    state, store = await counted(), await store_with()
    second = msgspec.structs.replace(REBUILD, generation=REBUILD.generation + 1, through_offset=3)
    await store.write_manifests([ManifestPoint(SOURCE, Manifest("second", second))])
    await folded(state, says(REBUILD, 3), says(second, 4, "second"), store=store)
    flush = flushed(state)
    assert (flush.refused, flush.progress.rebuilt) == ([], 4)


async def test_a_store_that_is_away_is_asked_until_it_answers() -> None:
    state, store = await counted(), await store_with()
    asked = 0

    class Away(WatchedStore):
        async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
            nonlocal asked
            asked += 1
            if asked < 4:
                raise AWAY
            return await store.read_manifests(source)

    reader: StoreReader = RetryingReader(Away(), RetryPolicy(no_pause), "load", lambda: True)
    await state.fold(says(REBUILD, 3), reader)
    assert (asked, flushed(state).progress.rebuilt) == (4, 3)


async def test_without_an_answer_nothing_is_decided() -> None:
    state, store = await counted(), await store_with()

    class Away(WatchedStore):
        async def read_manifests(self, _source: LogPartition) -> dict[str, Rebuild]:
            raise AWAY

    with pytest.raises(StoreUnavailable):
        await state.fold(says(REBUILD, 3), Away())
    assert state.snapshot() is None
    await folded(state, says(REBUILD, 3), store=store)
    assert flushed(state).refused == []


async def test_records_that_came_together_ask_once_and_later_ones_again() -> None:
    state, store = await counted(), WatchedStore()
    questions: list[LogPartition] = []

    class Asked(WatchedStore):
        async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
            questions.append(source)
            return await store.read_manifests(source)

    together = [says(REBUILD, offset, "made up") for offset in range(3, 50)]
    for one in together:
        state.decode_ahead(one)
    await folded(state, *together, store=Asked())
    assert questions == [SOURCE]

    await store.write_manifests([ManifestPoint(SOURCE, Manifest(MANIFEST, REBUILD))])
    await folded(state, says(REBUILD, 50), store=Asked())
    assert questions == [SOURCE, SOURCE]
    assert flushed(state).progress.rebuilt == 50


async def test_what_was_decoded_of_another_log_at_its_offset_is_not_taken_for_it() -> None:
    state = await counted()
    state.decode_ahead(record(3, click("eve", hour=HOUR - 5 * HOUR_MS)))
    await folded(state, says(REBUILD, 3), store=await store_with())
    assert values(flushed(state)).keys() <= {HOUR}
