"""Bounded memory: which windows are dropped when they take too much."""

from collections.abc import Iterable, Iterator

from stream_workers import metrics
from stream_workers.partition.state import PartitionState
from stream_workers.partition.window_slot import WindowSlot

BYTES_PER_WINDOW = 2_000
"""An empty window with its slots; 1,700 were measured."""


def size_of(held: WindowSlot) -> int:
    """About how many bytes a window takes, without what was folded since its last flush."""
    return BYTES_PER_WINDOW + held.window.size


def evict(states: Iterable[PartitionState], budget: int) -> None:
    """Drops the least recently used windows that may go, until all windows together take at most `budget` bytes.

    Call it between flushes: a window is dropped only when what it holds is committed.
    """
    states = list(states)
    excess = sum(map(size_of, _windows(states))) - budget
    if excess > 0:
        _drop(states, excess)
    metrics.WINDOWS.set(sum(1 for _ in _windows(states)))
    metrics.HASHES.set(sum(held.window.hashes for held in _windows(states)))


def _windows(states: Iterable[PartitionState]) -> Iterator[WindowSlot]:
    return (held for state in states for held in state.windows.values())


def _drop(states: Iterable[PartitionState], excess: int) -> None:
    candidates = sorted(
        ((held.used, state, held) for state in states for held in state.evictable()), key=lambda entry: entry[0]
    )
    for _, state, held in candidates:
        if excess <= 0:
            return
        excess -= size_of(held)
        del state.windows[held.hour]
        metrics.EVICTED.inc()
