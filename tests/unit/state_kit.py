"""A partition's state, folded and flushed by hand."""

from collections.abc import Collection

from worker_world import HOUR, SOURCE, PastLog, WatchedStore, numbered_places

from contract.hashes import hash_of_id, hash_of_user, pack_hashes
from contract.hour import HOUR_MS
from contract.progress import Progress
from contract.record import Record
from contract.segment import Segment
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.window_value import WindowValue
from stream_workers.partition_state import PartitionFlush, PartitionState

EARLIER = HOUR - 1_000 * HOUR_MS


def new_state(start: Progress | None = None) -> PartitionState:
    return PartitionState(SOURCE, start or Progress(), numbered_places(), PastLog())


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
        through_offset,
        pack_hashes([hash_of_user(user) for user in users]),
        pack_hashes([hash_of_id(*one) for one in ids]),
    )
    await store.write_windows([WindowPoint(SOURCE, HOUR, 10**6, value)], [SegmentPoint(SOURCE, HOUR, segment)])
    await store.write_progress([ProgressPoint(SOURCE, 10**6, Progress(through_offset, watermark=HOUR))])
