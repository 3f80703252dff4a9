"""Records on their way out: lines that wait for others of their partition."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from contract.record import MAX_BYTES, MAX_LINES
from ingest_api.errors import PublishUnavailable

ENOUGH_LINES: Final = 100
"""A record of so many lines costs its reader little more for each line than a full one: it goes at once."""

Outcome = asyncio.Future[PublishUnavailable | None]


class OutgoingRecord:
    """The lines of one record, and how it ended: None once it is acknowledged."""

    __slots__ = ("lines", "outcome", "partition", "partitions", "size")

    def __init__(self, partition: int, partitions: int, outcome: Outcome) -> None:
        self.partition = partition
        self.partitions = partitions
        self.outcome = outcome
        self.lines: list[bytes] = []
        self.size = 0

    def has_room_for(self, line: bytes) -> bool:
        """Whether one line more keeps the limits of a record."""
        return len(self.lines) < MAX_LINES and self.size + len(line) < MAX_BYTES

    def add(self, line: bytes) -> None:
        """Adds a line (without its newline)."""
        self.lines.append(line)
        self.size += len(line) + 1

    def value(self) -> bytes:
        """What Kafka gets."""
        return b"\n".join(self.lines) + b"\n"

    def settle(self, failure: PublishUnavailable | None) -> None:
        """Tells everyone who waits for it."""
        if not self.outcome.done():
            self.outcome.set_result(failure)


class OutgoingRecords:
    """One open record a partition. A record is sent when it is full, has lines enough, or has waited for `linger`."""

    def __init__(self, send: Callable[[OutgoingRecord], None], linger: float) -> None:
        """`linger` in seconds. `send` gets each record once, on the event loop."""
        self._send = send
        self._linger = linger
        self._open: dict[int, OutgoingRecord] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, lines: Iterable[tuple[int, bytes]], partitions: int) -> list[OutgoingRecord]:
        """Takes lines, each with its partition of `partitions`; the records that carry them."""
        carriers: dict[OutgoingRecord, None] = {}
        for partition, line in lines:
            record = self._open.get(partition)
            if record is None or record.partitions != partitions or not record.has_room_for(line):
                record = self._begin(partition, partitions)
            record.add(line)
            carriers[record] = None
        for record in carriers:
            if len(record.lines) >= ENOUGH_LINES and self._open.get(record.partition) is record:
                self._send(self._open.pop(record.partition))
        if self._open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self.flush)
        return list(carriers)

    def _begin(self, partition: int, partitions: int) -> OutgoingRecord:
        if partition in self._open:
            self._send(self._open.pop(partition))
        record = OutgoingRecord(partition, partitions, asyncio.get_running_loop().create_future())
        self._open[partition] = record
        return record

    def flush(self) -> None:
        """Sends all that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._open = self._open, {}
        for record in waiting.values():
            self._send(record)
