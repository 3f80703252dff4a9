"""What the consumer asks of whoever counts."""

from typing import Protocol

from contract.progress import LogPartition


class PartitionOwner(Protocol):
    """Who counts the partitions."""

    async def take(self, source: LogPartition, beginning: int, end: int, generation: int) -> int:
        """Takes over a partition; returns where to read from. Raises Abandoned if it was taken away meanwhile."""

    def next_offset(self, partition: int) -> int:
        """The offset that follows on what is stored of a partition that was taken."""

    def seal(self) -> None:
        """Takes nothing more from the mailbox: Faust is about to clear it."""

    async def release(self, timeout: float) -> None:  # noqa: ASYNC109 - bounds a wait, not a computation
        """Finishes what was folded, for at most `timeout` seconds, and forgets all partitions."""
