"""What of the log is not stored yet, by partition: asked anew whenever somebody looks at /metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from contract.errors import LogError
from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.partition.state import PartitionState

ANSWER_WITHIN: Final = 2.0
"""Seconds for which who looks waits for Kafka."""

AskEnds = Callable[[], Awaitable[Mapping[int, int]]]
"""Where each partition ends. Raises LogError."""


class Lag:
    """Tells the metrics.

    A partition is stored up to the time of its newest stored record. Where records come rarely that says little: so it
    is also stored up to the last look that found nothing missing.
    """

    def __init__(self, assignment: Assignment, ask_ends: AskEnds, clock: Callable[[], int]) -> None:
        """Asks nothing yet; `clock` in ms since the epoch."""
        self._assignment = assignment
        self._ask_ends = ask_ends
        self._clock = clock
        self._asking: asyncio.Task[Mapping[int, int]] | None = None
        self._ends: dict[int, int] = {}
        self._stored_until: dict[int, int] = {}
        """By partition, ms since the epoch: as far as looks tell."""

    async def look(self) -> None:
        """While Kafka is away, partitions end where they ended last, or where more was read."""
        looked_at = self._clock()
        answer = await self._answer()
        states = self._assignment.states
        self._ends = {number: self._end_of(state, answer) for number, state in states.items()}
        self._stored_until = {
            number: self._stored_until.get(number, state.stored_watermark if state.stored_watermark >= 0 else looked_at)
            for number, state in states.items()
        }
        metrics.LAG_RECORDS.clear()
        metrics.LAG_SECONDS.clear()
        for number, state in states.items():
            missing = max(0, self._ends[number] - state.stored_through - 1)
            metrics.LAG_RECORDS.labels(number).set(missing)
            metrics.LAG_SECONDS.labels(number).set(self._age(state, looked_at) if missing else 0)
            if not missing and number in answer:
                self._stored_until[number] = looked_at

    async def _answer(self) -> Mapping[int, int]:
        """Where partitions end; none while Kafka is away. One question at a time, however many look."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait({self._asking}, timeout=ANSWER_WITHIN)
        return self._asking.result() if self._asking.done() else {}

    async def _ask(self) -> Mapping[int, int]:
        """It fails in no way that is foreseen: perhaps nobody waits for it any more."""
        try:
            return await self._ask_ends()
        except LogError:
            return {}

    def _end_of(self, state: PartitionState, answer: Mapping[int, int]) -> int:
        number = state.source.partition
        return max(answer.get(number, 0), self._ends.get(number, 0), state.folded + 1)

    def _age(self, state: PartitionState, now: int) -> float:
        """Seconds. Of a partition of which nothing was ever stored: since it was first looked at."""
        return max(0, now - max(state.stored_watermark, self._stored_until[state.source.partition])) / 1000
