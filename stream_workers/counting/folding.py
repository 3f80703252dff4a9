"""Folding: each record into the state of its partition, with the windows that it needs."""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final

from contract.errors import RecordsMissing
from contract.store import StoreReader
from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.counting.mailbox import Received
from stream_workers.gather_all import gather_all
from stream_workers.partition.state import PartitionState
from stream_workers.retry import Abandoned, RetryPolicy
from stream_workers.retrying_reader import RetryingReader

IsHole = Callable[[int, int, int], bool]
"""Whether a partition of the log has no records from one offset up to, not including, another."""

_LOADING: Final = "load windows"

HOURS_AT_ONCE: Final = 10_000
"""Hours, counted for each record by itself. A load also reads what lies between: many small ones take longer."""


class Folding:
    """Counts records in memory. Those that are not ours to count any more are passed over."""

    def __init__(self, assignment: Assignment, store: StoreReader, retry: RetryPolicy, is_hole: IsHole) -> None:
        self._assignment = assignment
        self._store = store
        self._retry = retry
        self._is_hole = is_hole

    async def prefetch(self, batch: Sequence[Received]) -> int:
        """Loads at once what folding the first records of the batch would load bit by bit; how many records these are.

        It is all of them, unless they lie in very many hours: then those that are loaded are counted and stored before
        others are looked at, so that old hours delay the current one by no more than that.
        """
        missing: dict[int, set[int]] = {}
        prepared = hours = 0
        for received in batch:
            prepared += 1
            state = self._assignment.owner_of(received)
            if state is None:
                continue
            of_record = state.decode_ahead(received.record)
            hours += len(of_record)
            # A difference of sets would look at each window in memory.
            not_here = [hour for hour in of_record if hour not in state.windows]
            missing.setdefault(received.record.partition, set()).update(not_here)
            if hours >= HOURS_AT_ONCE:
                break
        await self._load(missing)
        return prepared

    async def _load(self, missing: Mapping[int, Collection[int]]) -> None:
        """Hours by partition."""
        if not any(missing.values()):
            return
        states, reader = self._assignment.states, self._reader(self._assignment.still_ours())
        with contextlib.suppress(Abandoned):
            await gather_all(*(states[number].load(hours, reader) for number, hours in missing.items() if hours))

    def fold_at_once(self, received: Received) -> bool:
        """Folds a record that needs nothing from the store: where records have one line each, waiting costs more.

        False where `fold` must do it. Raises RecordsMissing.
        """
        state = self._assignment.owner_of(received)
        if state is None:
            return True
        self._require_no_gap(state, received.record.offset)
        if not state.fold_at_once(received.record):
            return False
        metrics.RECORDS.inc()
        return True

    async def fold(self, received: Received) -> None:
        """Folds a record for which `fold_at_once` just said no; tries for as long as the store is away."""
        record = received.record
        state = self._assignment.states[record.partition]

        def still_ours() -> bool:
            return self._assignment.states.get(record.partition) is state

        fold = partial(state.fold, record, self._reader(still_ours))
        try:
            # Again as a whole where Kafka is away: a rebuild reads the log once more.
            await self._retry(_LOADING, fold, still_ours=still_ours)
        except Abandoned:
            return
        metrics.RECORDS.inc()

    def _reader(self, still_ours: Callable[[], bool]) -> StoreReader:
        return RetryingReader(self._store, self._retry, _LOADING, still_ours)

    def _require_no_gap(self, state: PartitionState, offset: int) -> None:
        expected, partition = state.folded + 1, state.source.partition
        if offset > expected and not self._is_hole(partition, expected, offset):
            raise RecordsMissing(
                f"{state.source}: record {offset} came where {expected} was expected, and the log has what is between"
            )
