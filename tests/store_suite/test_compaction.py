"""A window that was compacted is loaded from few segments, on every store, and is counted on as before."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from contract.hour import HOUR_MS
from contract.log.action import Action, encode_action
from contract.log.progress import LogPartition, Progress
from contract.log.record import Record
from contract.store import ProgressPoint, Store
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import read_committed, read_committed_segments
from stream_workers.flush.compaction import Compactor
from stream_workers.partition.state import PartitionState
from stream_workers.retry import RetryPolicy

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
HOUR = 494_902 * HOUR_MS
FLUSHES = 30


class NoPast:
    async def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        raise AssertionError(f"{source}: nothing was rebuilt, yet {first} to {end} are asked for")
        yield


def clicks(offset: int, *users: str) -> Record:
    """A record that was appended after the hour's end."""
    actions = [Action(HOUR, user, "click", f"id-of-{user}") for user in users]
    return Record(SOURCE.partition, offset, HOUR + HOUR_MS, b"\n".join(map(encode_action, actions)), 8)


async def count_all(state: PartitionState, store: Store, *records: Record) -> None:
    for one in records:
        await state.fold(one, store)
        flush = state.snapshot()
        assert flush is not None
        await store.write_windows(flush.window_points(), flush.segments)
        await store.write_progress([ProgressPoint(SOURCE, state.progress_slot, flush.progress)])
        state.committed(flush)


async def stored(store: Store) -> tuple[WindowValue, list[Segment]]:
    window = (await read_committed(store, HOUR, SOURCE))[SOURCE].window
    assert window is not None
    return window, await read_committed_segments(store, HOUR, SOURCE, window)


async def test_a_load_after_it_reads_few_segments_and_counts_on(store: Store) -> None:
    state = PartitionState(SOURCE, Progress(), count().__next__, NoPast())
    await count_all(state, store, *(clicks(offset, f"user-{offset}") for offset in range(FLUSHES)))
    before, small = await stored(store)
    assert len(small) == FLUSHES
    compactor = Compactor(store, RetryPolicy(asyncio.sleep), many_segments=FLUSHES)
    compactor.choose([state])
    await compactor.step([state], lambda: True)
    after, (full,) = await stored(store)
    assert (after.counts, after.unique_users, after.through_offset) == (before.counts, FLUSHES, FLUSHES - 1)
    assert full.full
    assert len(full.users) == len(full.ids) == 8 * FLUSHES
    # Another worker goes on from there: it knows who was counted.
    start = (await store.read_progress(SOURCE))[SOURCE]
    other = PartitionState(SOURCE, start, count(1_000).__next__, NoPast())
    await count_all(other, store, clicks(FLUSHES, "user-0", "user-new"))
    value, segments = await stored(store)
    assert (value.counts, value.duplicates, value.unique_users) == ({"click": FLUSHES + 1}, 1, FLUSHES + 1)
    assert sorted(one.full for one in segments) == [False, True]
