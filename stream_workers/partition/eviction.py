"""Bounded memory: which windows are dropped when they take too much."""

from collections.abc import Iterable, Iterator

from stream_workers import metrics
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import WindowSlot

BYTES_PER_WINDOW = 2_000
"""An empty window with its slots; 1,700 were measured."""


def size_of(slot: WindowSlot) -> int:
    """About how many bytes a window takes, without what was folded since its last flush."""
    return BYTES_PER_WINDOW + slot.window.size


def evict(states: Iterable[PartitionState], budget: int) -> None:
    """Drops the least recently used windows that may go, until all windows together take at most `budget` bytes.

    Call it between flushes: a window is dropped only when what it holds is committed.
    """
    states = list(states)
    excess = sum(map(size_of, _windows(states))) - budget
    if excess > 0:
        _drop(states, excess)
    metrics.WINDOWS.set(sum(1 for _ in _windows(states)))
    metrics.HASHES.set(sum(slot.window.hashes for slot in _windows(states)))


def _windows(states: Iterable[PartitionState]) -> Iterator[WindowSlot]:
    return (slot for state in states for slot in state.windows.values())


def _drop(states: Iterable[PartitionState], excess: int) -> None:
    candidates = sorted(
        ((slot.used, state, slot) for state in states for slot in state.evictable()), key=lambda entry: entry[0]
    )
    for _, state, slot in candidates:
        if excess <= 0:
            return
        excess -= size_of(slot)
        del state.windows[slot.hour]
        metrics.EVICTED.inc()
