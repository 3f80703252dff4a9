"""A worker without Kafka: the product's own folding and flushing, of actions that are made as they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.cases.steps import draw_slot
from bench.load.traffic import Made, Numbers, this_hour
from contract.log.progress import LogPartition, Progress
from contract.log.record import Record
from contract.store import Store
from kafka_log.settings import KafkaSettings
from stream_workers.flush.flusher import Flusher
from stream_workers.gather_all import gather_all
from stream_workers.partition.decoded import RejectedLine
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.past_records import KafkaPastRecords
from stream_workers.partition.state import PartitionState
from stream_workers.retry import RetryPolicy

LOG: Final = "bench"
_LINES_A_RECORD: Final = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """What a flush brings: in each partition so many lines, of the current hour, and among them so many new users."""

    partitions: int
    lines: int
    new_users: int


class Worker:
    """Folds and flushes; every action is of the hour in which it was made."""

    def __init__(self, store: Store, shape: Shape) -> None:
        self.hour = this_hour()
        self._store = store
        self._shape = shape
        self._users = 0
        """In each partition."""
        self._lines = 0
        """Likewise."""
        self._offset = -1
        self._flusher = Flusher(store, _NoneRejected(), _SameLog(), RetryPolicy(_fail), gather_all)
        past = KafkaPastRecords(KafkaSettings(), "")
        self._states = [
            PartitionState(LogPartition(LOG, partition), Progress(), draw_slot, past)
            for partition in range(shape.partitions)
        ]

    async def begin(self) -> None:
        """The first flush, which makes users known: as many as a flush has lines."""
        await self.flush(await self.fold(self._shape.lines))

    async def fold(self, new_users: int | None = None) -> Sequence[PartitionFlush]:
        """Folds what the next flush brings; what that is to store."""
        new_users = self._shape.new_users if new_users is None else new_users
        begin = self._offset + 1
        for state in self._states:
            made = [self._action(state.source.partition, line, new_users) for line in range(self._shape.lines)]
            for offset, at in enumerate(range(0, len(made), _LINES_A_RECORD), begin):
                value = b"\n".join([action.line() for action in made[at : at + _LINES_A_RECORD]])
                record = Record(state.source.partition, offset, self.hour, value, self._shape.partitions)
                await state.fold(record, self._store)
                self._offset = offset
        self._users += new_users
        self._lines += self._shape.lines
        return [flush for state in self._states if (flush := state.snapshot()) is not None]

    async def flush(self, flushes: Sequence[PartitionFlush]) -> None:
        """Stores them."""
        await self._flusher.write(flushes, lambda: True)

    @property
    def expected(self) -> Numbers:
        """What the hour must come to."""
        lines = self._lines * self._shape.partitions
        return Numbers(self._users * self._shape.partitions, lines // 2, lines // 2)

    @property
    def lines(self) -> int:
        """Raw actions that were flushed."""
        return self._lines * self._shape.partitions

    def _action(self, partition: int, line: int, new_users: int) -> Made:
        """The first ones are of new users, the others of known ones."""
        user = self._users + line if line < new_users else line % max(1, self._users)
        return Made(self.hour + line, f"user-{partition}-{user}", "impression" if line % 2 else "click")


class _NoneRejected:
    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        raise AssertionError(lines)


class _SameLog:
    async def verify(self, log: str) -> None:
        assert log == LOG


async def _fail(seconds: float) -> None:
    raise AssertionError(f"a write failed and would be tried again in {seconds} s")
