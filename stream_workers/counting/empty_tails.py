"""Moving on over offsets at a partition's end that hold no record to count.

The end of a transaction takes an offset of its own, the marker, which no reader is ever given; nor are the records of a
transaction that was aborted. Where nothing follows on them, progress would stand before them: a lag that never ends.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from contract.errors import LogError
from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.partition.rebuild import PastRecords
from stream_workers.partition.state import PartitionState

logger = logging.getLogger(__name__)

PAUSE: Final = 1.0
"""Seconds for which a partition has stood still before the log is asked."""

LONGEST_PAUSE: Final = 30.0
"""Seconds. The pause doubles up to this for as long as some partition's tail is not known to be empty."""

StableEnds = Callable[[], Awaitable[Mapping[int, int]]]
"""Where each partition's first open transaction begins, or the log ends; those that are not known are left out."""


class EmptyTails:
    """Looks at partitions on which nothing comes any more, though their log goes on.

    A busy partition costs one comparison of numbers a look.
    """

    def __init__(
        self,
        assignment: Assignment,
        stable_ends: StableEnds,
        past: PastRecords,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._assignment = assignment
        self._stable_ends = stable_ends
        self._past = past
        self._sleep = sleep
        self._seen: dict[int, tuple[int, int]] = {}
        """By partition: the generation, and how far it was folded, at the last look."""

    async def run(self) -> None:
        """Works until it is cancelled."""
        pause = PAUSE
        while True:
            await self._sleep(pause)
            pause = PAUSE if await self.step() else min(2 * pause, LONGEST_PAUSE)

    async def step(self) -> bool:
        """One look; False if some partition stands before offsets of which nobody knows yet what they hold."""
        standing = self._standing_still()
        if not standing:
            return True
        ends = await self._stable_ends()
        found = [await self._is_done(state, ends.get(state.source.partition, 0)) for state in standing]
        return all(found)

    def _standing_still(self) -> list[PartitionState]:
        seen, states = self._seen, self._assignment.states
        self._seen = {partition: (state.generation, state.folded) for partition, state in states.items()}
        return [
            state
            for partition, state in states.items()
            if state.settled and seen.get(partition) == self._seen[partition]
        ]

    async def _is_done(self, state: PartitionState, end: int) -> bool:
        """Whether nothing lies before `end` any more."""
        first = state.folded + 1
        if first >= end:
            return True
        try:
            is_empty = await self._past.is_empty(state.source, first, end)
        except LogError as error:
            known = {"partition": state.source.partition, "offset": first}
            logger.info("%s: what lies from offset %d on is not known yet: %s", state.source, first, error, extra=known)
            return False
        # The partition may have been released meanwhile: then the state is nobody's, and moving it stores nothing.
        if is_empty and state.pass_over(first, end):
            metrics.PASSED_OVER.inc(end - first)
        return is_empty
