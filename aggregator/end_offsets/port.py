"""Where the current log ends: the seam to Kafka, and its fake."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from contract.errors import LogUnavailable


class LogEndOffsets(NamedTuple):
    """The partitions of a log, each with its end offset: the one that the next record will get."""

    log: str
    by_partition: Mapping[int, int]


class EndOffsetsReader(Protocol):
    """Asks Kafka."""

    async def read(self) -> LogEndOffsets:
        """The ends of the log that the topic is now; every record acknowledged before the call lies below them.

        Raises LogUnavailable, LogUnfit (there is no such topic) or LogReplaced (meanwhile it was deleted and created
        again).
        """

    def refusal(self) -> str | None:
        """Why Kafka refuses the connection, where it does: a reading then has no answer."""

    async def close(self) -> None:
        """Gives back connections."""


class FakeEndOffsets:
    """A log that exists in memory; with `unavailable_reason` set, Kafka is away."""

    def __init__(self, log: str = "log", by_partition: Mapping[int, int] | None = None) -> None:
        self.log = log
        self.by_partition = dict(by_partition or {0: 0})
        self.unavailable_reason: str | None = None
        self.reads = 0

    async def read(self) -> LogEndOffsets:
        self.reads += 1
        if self.unavailable_reason is not None:
            raise LogUnavailable(self.unavailable_reason)
        return LogEndOffsets(self.log, dict(self.by_partition))

    def refusal(self) -> str | None:
        return None

    async def close(self) -> None:
        """It holds nothing to give back."""
