"""One round of the flush loop: store what was folded, drop what may go, commit offsets, compact a bit."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.flush.compaction import Compactor
from stream_workers.flush.flusher import Flusher
from stream_workers.partition.eviction import evict
from stream_workers.partition.flush import PartitionFlush

Commit = Callable[[Mapping[int, int]], Awaitable[None]]
"""Commits the next offset of each partition to Kafka; never raises for a refusal."""


class FlushCycle:
    """What is done with all partitions of an assignment between two waits. One round at a time."""

    def __init__(
        self, assignment: Assignment, flusher: Flusher, compactor: Compactor, commit: Commit, window_memory: int
    ) -> None:
        """`window_memory` is in bytes."""
        self._assignment = assignment
        self._flusher = flusher
        self._compactor = compactor
        self._commit = commit
        self._window_memory = window_memory

    async def run(self, on_taken: Callable[[], None]) -> None:
        """Calls `on_taken` once what was folded is out of the states: there is room to fold on.

        Raises Abandoned where the partitions are taken away meanwhile, and what must stop the worker.
        """
        still_ours, states = self._assignment.still_ours(), dict(self._assignment.states)
        parts = [part for state in states.values() if (part := state.snapshot()) is not None]
        self._compactor.choose(states.values())
        if parts:
            on_taken()
            began = time.monotonic()
            await self._flusher.write(parts, still_ours)
            metrics.FLUSH_SECONDS.observe(time.monotonic() - began)
            _count_lines(parts)
            evict(states.values(), self._window_memory)
            with metrics.STEP_SECONDS.labels("commit offsets").time():
                await self._commit({part.state.source.partition: part.progress.through_offset + 1 for part in parts})
        await self._compactor.step(self._assignment.states.values(), self._assignment.still_ours())


def _count_lines(parts: Sequence[PartitionFlush]) -> None:
    for part in parts:
        rejected, duplicates = len(part.rejected), 0
        for slot, value in part.windows:
            # A rebuild may have found fewer.
            duplicates += max(0, value.duplicates - slot.duplicates)
            slot.duplicates = value.duplicates
        metrics.LINES.labels("rejected").inc(rejected)
        metrics.LINES.labels("duplicate").inc(duplicates)
        metrics.LINES.labels("counted").inc(max(0, len(part.raw.lines) - rejected - duplicates))
