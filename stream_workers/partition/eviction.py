"""Bounded memory: which windows are dropped when they take too much."""

from collections.abc import Iterable

from stream_workers import metrics
from stream_workers.partition.state import PartitionState


def evict(states: Iterable[PartitionState], budget: int) -> None:
    """Where all windows together take more than `budget` bytes: drops the least recently used of those that may go.

    It drops an eighth more than it must: to find out which were used least takes long where there are many windows.
    Call it between flushes: a window is dropped only when what it holds is committed. What is known of other hours is
    forgotten once it takes more than an eighth of the budget.
    """
    states = list(states)
    size = sum(state.table.size for state in states)
    if size > budget:
        _drop(states, size - budget + budget // 8)
    if sum(state.table.known.size for state in states) > budget // 8:
        for state in states:
            state.table.known.forget()
    metrics.WINDOWS.set(sum(len(state.windows) for state in states))
    metrics.HASHES.set(sum(state.table.hashes for state in states))
    metrics.WINDOW_BYTES.set(sum(state.table.size for state in states))


def _drop(states: Iterable[PartitionState], excess: int) -> None:
    candidates = sorted(
        ((slot.used, state, slot) for state in states for slot in state.evictable()), key=lambda entry: entry[0]
    )
    for _, state, slot in candidates:
        if excess <= 0:
            return
        excess -= slot.size
        state.table.drop(slot)
        metrics.EVICTED.inc()
