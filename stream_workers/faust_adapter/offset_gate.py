"""The gate before the mailbox: each partition's records in order, none before the seek, no hole but the log's own."""

from collections.abc import Mapping
from enum import Enum


class Verdict(Enum):
    """What to do with a record that was fetched."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    DROP = "drop"
    SEEK = "seek"
    """Drop it, and fetch again from the offset that is expected: records are missing before it."""


class OffsetGate:
    """Judges fetched offsets. A partition is shut until it is opened at an offset.

    Fetches that were under way before a seek deliver records of the old position. A hole is fetched once more, unless
    the fetcher is known to have passed over it; if it is still there, it is the log's own (compaction, transactions).
    """

    def __init__(self) -> None:
        self._expected: dict[int, int] = {}
        self._sought: dict[int, int] = {}
        self._holes: dict[int, list[range]] = {}

    def open(self, partition: int, offset: int) -> None:
        """The next record to pass is the one at `offset`."""
        self._expected[partition] = offset
        self._sought.pop(partition, None)
        self._holes.pop(partition, None)

    def shut_all(self) -> None:
        """Nothing passes."""
        self._expected.clear()
        self._sought.clear()
        self._holes.clear()

    def is_open(self, partition: int) -> bool:
        """Whether records of the partition may pass."""
        return partition in self._expected

    def open_partitions(self) -> Mapping[int, int]:
        """The partitions whose records may pass, each with the offset that its next one should have."""
        return self._expected

    def expected(self, partition: int) -> int:
        """The offset that the partition's next record should have."""
        return self._expected[partition]

    def admit(self, partition: int, offset: int) -> Verdict:
        """What to do with the record at `offset`; a record that passes is taken to be delivered."""
        expected = self._expected.get(partition)
        if expected is None or offset < expected:
            return Verdict.DROP
        if offset > expected and self._sought.get(partition) != expected:
            self._sought[partition] = expected
            return Verdict.SEEK
        if offset > expected:
            self._holes.setdefault(partition, []).append(range(expected, offset))
        self._expected[partition] = offset + 1
        return Verdict.PASS

    def is_hole(self, partition: int, first: int, end: int) -> bool:
        """Whether the log has no records from `first` up to, not including, `end`; each hole is asked about once."""
        holes = self._holes.get(partition, [])
        while holes and holes[0].stop < end:
            del holes[0]
        return bool(holes) and holes[0].start <= first and holes[0].stop == end
