"""Full segments: a window whose users lie in many small segments is stored once more so that it loads quickly."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from contract.hour import HOUR_MS
from contract.segment import MAX_SEGMENT_HASHES
from contract.store import SegmentPoint, StoreWriter, WindowPoint
from contract.window import Window
from stream_workers import metrics
from stream_workers.held_window import HeldWindow
from stream_workers.partition_state import PartitionState
from stream_workers.retry import Retry

MANY_SEGMENTS: Final = 1_000
"""From so many small segments on a window is worth it: on InfluxDB 1.8 a load of 1,000 with 2 hashes each took 36 ms,
of 7,200 (an hour of flushes) 170 ms, and of the full segment instead 9 ms."""

FEWER: Final = 10
"""So many times as many small segments must there be as parts of the full one: hashes take their time, too."""

PARTS_AT_ONCE: Final = 16
"""Parts that are written between two flushes, a MB: 12 to 50 ms, on a busy machine."""


@dataclass(slots=True)
class _Compaction:
    """A window's full segments, as of `through_offset`; `parts` are those that are not acknowledged yet."""

    state: PartitionState
    held: HeldWindow
    through_offset: int
    parts: list[SegmentPoint]


class Compactor:
    """Compacts one window at a time, bit by bit, between flushes: first all parts of the full segment, then the value.

    The value may say that the full segment is there only once all of that is acknowledged. Folding and flushing go on
    in between: what they add comes after the full segment.
    """

    def __init__(self, store: StoreWriter, retry: Retry, many_segments: int = MANY_SEGMENTS) -> None:
        self._store = store
        self._retry = retry
        self._many = many_segments
        self._under_way: _Compaction | None = None

    async def step(self, states: Collection[PartitionState], still_ours: Callable[[], bool]) -> None:
        """Does the next bit, for these partitions; call it between flushes only. Raises Abandoned and StoreConflict."""
        compaction = self._under_way
        if compaction is None or not _is_held(compaction, states):
            compaction = self._under_way = next(self._candidates(states), None)
        if compaction is None:
            return
        some = compaction.parts[:PARTS_AT_ONCE]
        await self._retry("store full segments", lambda: self._store.write_windows([], some), still_ours=still_ours)
        del compaction.parts[:PARTS_AT_ONCE]
        if not compaction.parts:
            self._under_way = None
            await self._refer(compaction.state, compaction.held, compaction.through_offset, still_ours)

    def _candidates(self, states: Collection[PartitionState]) -> Iterator[_Compaction]:
        for state in states:
            for held in state.evictable():
                over = held.hour + HOUR_MS <= state.progress.watermark
                if over and self._is_worth_it(held.window):
                    through, parts = held.window.through_offset, held.window.full_segments()
                    if parts:
                        points = [SegmentPoint(state.source, held.hour, part) for part in parts]
                        yield _Compaction(state, held, through, points)

    def _is_worth_it(self, window: Window) -> bool:
        small = window.small_segments
        return small >= self._many and small * MAX_SEGMENT_HASHES >= FEWER * window.hashes

    async def _refer(
        self, state: PartitionState, held: HeldWindow, through_offset: int, still_ours: Callable[[], bool]
    ) -> None:
        held.window.refer_to_full(through_offset)
        metrics.COMPACTED.inc()
        if held not in state.evictable():
            # The next flush writes it anyway.
            return
        point = partial(WindowPoint, state.source, held.hour)

        def draw_place() -> None:
            held.places[held.turn] = state.draw_place()

        async def attempt() -> None:
            await self._store.write_windows([point(held.places[held.turn], held.window.value)], [])

        await self._retry("store a compacted window", attempt, still_ours=still_ours, on_unknown=draw_place)
        held.turn ^= 1


def _is_held(compaction: _Compaction, states: Collection[PartitionState]) -> bool:
    """Whether the window is still in memory: it may be evicted, rebuilt or another worker's by now."""
    return compaction.state in states and compaction.state.windows.get(compaction.held.hour) is compaction.held
