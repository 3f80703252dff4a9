"""The partitions that this worker counts: acquired, fenced, released."""

import logging
from collections.abc import Callable
from functools import partial

from contract.log.progress import LogPartition
from contract.store import StoreReader
from stream_workers import metrics
from stream_workers.counting.mailbox import Received
from stream_workers.faust_adapter.ports import Acquired
from stream_workers.flush.flusher import Flusher
from stream_workers.partition.rebuild import PastRecords
from stream_workers.partition.resume import first_offset, resume_from
from stream_workers.partition.state import PartitionState
from stream_workers.partition.windows import DrawSlot
from stream_workers.retry import Abandoned, RetryPolicy
from stream_workers.retrying_reader import RetryingReader

logger = logging.getLogger(__name__)


class Assignment:
    """Holds the state of each partition from when it is acquired until all of them are forgotten at once."""

    def __init__(
        self, store: StoreReader, flusher: Flusher, retry: RetryPolicy, draw_slot: DrawSlot, past: PastRecords
    ) -> None:
        self._store = store
        self._flusher = flusher
        self._retry = retry
        self._draw_slot = draw_slot
        self._past = past
        self._epoch = 0
        self._met: set[str] = set()
        """Logs that were looked at for whether others were counted before."""
        self._fenced = False
        self.states: dict[int, PartitionState] = {}
        """By the partition's number."""

    @property
    def settled(self) -> bool:
        """Whether all that was folded is stored."""
        return all(state.settled for state in self.states.values())

    @property
    def may_flush(self) -> bool:
        """Whether a flush would store something."""
        return any(state.may_flush for state in self.states.values())

    @property
    def unflushed_lines(self) -> int:
        """Lines that were folded, and that no flush has taken yet."""
        # Asked after each record: a property for each partition would cost a seventh of folding a record of one line.
        return sum([len(state.pending.lines) for state in self.states.values()])

    @property
    def unflushed_windows(self) -> int:
        """Windows that were folded into, and that no flush has taken yet."""
        return sum([state.table.touched for state in self.states.values()])

    async def acquire(self, source: LogPartition, beginning: int, end: int, generation: int) -> Acquired:
        """Begins to count a partition whose log holds the offsets from `beginning` up to, not including, `end`.

        Tries for as long as the store is away; raises Abandoned once the partition was revoked meanwhile.
        """
        still_ours = self.still_ours()
        reader = RetryingReader(self._store, self._retry, "read progress", still_ours)
        stored = (await reader.read_progress(source)).get(source)
        if stored is None and source.log not in self._met:
            self._warn_of_earlier_logs(source.log, {one.log for one in await reader.read_progress()})
        start = resume_from(source, stored, beginning, end)
        state = PartitionState(source, start, self._draw_slot, self._past, generation)
        if start.through_offset >= 0:
            # The progress that we saw may be forgotten by the store; ours is acknowledged.
            await self._flusher.write_progress([state], still_ours)
        if not still_ours():
            raise Abandoned(f"acquire {source}")
        metrics.LOST.inc(start.lost - (stored.lost if stored else 0))
        self._fenced = False
        self.states[source.partition] = state
        metrics.PARTITIONS.set(len(self.states))
        return Acquired(first_offset(start), start.through_offset + 1)

    def _warn_of_earlier_logs(self, log: str, counted: set[str]) -> None:
        # Partitions are acquired side by side.
        if log not in self._met and counted and log not in counted:
            logger.warning(
                "log %s: nothing of it is counted, but of %s: the topic was deleted and created again, or Kafka lost "
                "its data. What was not counted by then is gone; this log is counted beside what there is",
                log,
                ", ".join(sorted(counted)),
            )
        self._met.add(log)

    def fence(self) -> None:
        """From here on no record is ours to count, until a partition is acquired."""
        self._fenced = True

    def forget(self) -> None:
        """What is under way for these partitions is abandoned."""
        self._epoch += 1
        self.states = {}
        metrics.PARTITIONS.set(0)

    def still_ours(self) -> Callable[[], bool]:
        """Says, whenever it is called, whether the partitions of this moment are still ours."""
        return partial(self._is_of, self._epoch)

    def _is_of(self, epoch: int) -> bool:
        return epoch == self._epoch

    def owner_of(self, received: Received) -> PartitionState | None:
        """The state that counts a record; None for one that is not ours to count any more."""
        state = self.states.get(received.record.partition)
        return None if self._fenced or state is None or state.generation != received.generation else state
