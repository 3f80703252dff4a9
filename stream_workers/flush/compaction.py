"""Full segments: a window whose users lie in many small segments is stored once more so that it loads quickly."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Final

from contract.hour import HOUR_MS
from contract.store import SegmentPoint, StoreWriter, WindowPoint
from stream_workers import metrics
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import WindowSlot
from stream_workers.retry import RetryPolicy

MANY_SEGMENTS: Final = 1_000
"""From so many small segments on a window is worth it, also while its hour is being counted: on InfluxDB 1.8 a load of
1,000 with 2 hashes each took 36 ms, of 7,200 (an hour of flushes) 170 ms, and of the full segment instead 9 ms."""

HASHES_PER_SEGMENT: Final = 100
"""While its hour is being counted, only a window with at most so many hashes for each small segment is worth it: a load
of 7,200 small ones took 9 times as long as of the full one where each had 2 hashes, 2.5 times where it had 20, and 2.1
times where it had 100. And full segments stay in the store: docs/decisions/full-segments.md adds them up."""

HASHES_PER_SEGMENT_LATER: Final = 600
"""Once the hour is over, it is as a rule the last time."""

PARTS_AT_ONCE: Final = 16
"""Parts that are written between two flushes, a MB: 12 to 50 ms, on a busy machine."""


@dataclass(slots=True)
class _Compaction:
    """A window's full segments, as of `through_offset`; `parts` are those that are not acknowledged yet."""

    state: PartitionState
    slot: WindowSlot
    through_offset: int
    instead_of: int
    """How many small segments the window had up to there."""
    parts: list[SegmentPoint]


class Compactor:
    """Compacts one window at a time, bit by bit, between flushes: first all parts of the full segment, then the value.

    The value may say that the full segment is there only once all of that is acknowledged. Folding and flushing go on
    in between: what they add comes after the full segment. So the hour that is being counted is compacted like any
    other, and what a full segment holds is a function of the log and its offset, whoever writes it, and when.
    """

    def __init__(self, store: StoreWriter, retry: RetryPolicy, many_segments: int = MANY_SEGMENTS) -> None:
        self._store = store
        self._retry = retry
        self._many = many_segments
        self._under_way: _Compaction | None = None

    def choose(self, states: Collection[PartitionState]) -> None:
        """Chooses the next window to compact, unless one is under way, and takes its hashes as they are now.

        Call it where a flush has just been taken: a window that is folded into without a pause is complete up to an
        offset nowhere else.
        """
        if self._under_way is None or not _is_in_memory(self._under_way, states):
            self._under_way = self._next(states)

    async def step(self, states: Collection[PartitionState], still_ours: Callable[[], bool]) -> None:
        """Does the next bit, for these partitions; call it between flushes only. Raises Abandoned and StoreConflict."""
        compaction = self._under_way
        if compaction is None or not _is_in_memory(compaction, states):
            return
        some = compaction.parts[:PARTS_AT_ONCE]
        await self._retry("store full segments", lambda: self._store.write_windows([], some), still_ours=still_ours)
        del compaction.parts[:PARTS_AT_ONCE]
        if not compaction.parts:
            self._under_way = None
            await self._refer(compaction, still_ours)

    def _next(self, states: Collection[PartitionState]) -> _Compaction | None:
        many = self._many
        # There may be very many windows, nearly all of them with few segments.
        cut_up = [
            (state, slot) for state in states for slot in state.windows.values() if slot.window.small_segments >= many
        ]
        worth_it = [(state, slot) for state, slot in cut_up if self._is_worth_it(state, slot)]
        for state, slot in sorted(worth_it, key=lambda one: one[1].window.small_segments, reverse=True):
            window = slot.window
            if parts := window.full_segments():
                points = [SegmentPoint(state.source, slot.hour, part) for part in parts]
                return _Compaction(state, slot, window.through_offset, window.small_segments, points)
        return None

    def _is_worth_it(self, state: PartitionState, slot: WindowSlot) -> bool:
        small = slot.window.small_segments
        over = slot.hour + HOUR_MS <= state.progress.watermark
        return slot.window.hashes <= small * (HASHES_PER_SEGMENT_LATER if over else HASHES_PER_SEGMENT)

    async def _refer(self, compaction: _Compaction, still_ours: Callable[[], bool]) -> None:
        state, slot = compaction.state, compaction.slot
        slot.window.refer_to_full(compaction.through_offset, compaction.instead_of)
        metrics.COMPACTED.inc()
        if slot not in state.evictable():
            # The next flush writes it anyway.
            return
        point = partial(WindowPoint, state.source, slot.hour)

        def draw_slot() -> None:
            slot.slots[slot.turn] = state.draw_slot()

        async def attempt() -> None:
            await self._store.write_windows([point(slot.slots[slot.turn], slot.window.value)], [])

        await self._retry("store a compacted window", attempt, still_ours=still_ours, on_unknown=draw_slot)
        slot.turn ^= 1
        # No progress is committed with it: a reader may have passed its slot, and still needs the other one as it is.
        draw_slot()


def _is_in_memory(compaction: _Compaction, states: Collection[PartitionState]) -> bool:
    """Whether the window is still in memory: it may be evicted, rebuilt or another worker's by now."""
    return compaction.state in states and compaction.state.windows.get(compaction.slot.hour) is compaction.slot
