"""What the consumer works with: who counts the partitions, and the topic."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from contract.log.progress import LogPartition
from kafka_log.topic import LogTopic
from stream_workers.faust_adapter.offset_gate import OffsetGate


class Acquired(NamedTuple):
    """Where a partition goes on."""

    read_from: int
    """The offset to read from; it may lie one record before what is to come, to recognise the log."""
    next_offset: int
    """The offset that follows on what is stored."""


class PartitionOwner(Protocol):
    """Who counts the partitions."""

    async def acquire(self, source: LogPartition, beginning: int, end: int, generation: int) -> Acquired:
        """Begins to count a partition. Raises Abandoned if it was revoked meanwhile."""

    def fence(self) -> None:
        """Refuses every record from here on, until a partition is acquired: Faust is about to clear the mailbox."""


Release = Callable[[float], Awaitable[None]]
"""Finishes what was folded, for at most so many seconds, and forgets all partitions."""


class Ports(NamedTuple):
    """All that the consumer works with."""

    topic: LogTopic
    gate: OffsetGate
    owner: PartitionOwner
    release: Release
    release_timeout: float
    """Seconds."""
