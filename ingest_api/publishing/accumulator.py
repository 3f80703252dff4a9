"""Records on their way out: lines that wait for others of their partition."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from contract.log.position import Position, together
from contract.log.record import MAX_BYTES, MAX_LINES, PARTITIONS_HEADER
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.publishing.publisher import OnDelivered, Outcome

logger = logging.getLogger(__name__)

ENOUGH_LINES: Final = 875
"""A record of so many lines goes at once: the parts of seven batches of 1,000 over 8 partitions.

Such batches cost 1.2 us of CPU an action where those of several callers travel together, 1.6 us where 100 lines were
enough. On a busy machine, in turn: 1.6 us (1.4 to 2.1), where 500 were enough 2.0 (1.9 to 2.1).
"""


RecordHeaders = list[tuple[str, str | bytes | None]]


class Lines(NamedTuple):
    """Lines of one partition that travel in one record: at most MAX_LINES, and MAX_BYTES."""

    partition: int
    number: int
    text: bytes
    """Each line ends in a newline."""


class OutgoingRecord:
    """The lines of one record, and who waits for it to be acknowledged."""

    __slots__ = ("_texts", "_waiting", "lines", "partition", "partitions", "size")

    def __init__(self, partition: int, partitions: int) -> None:
        self.partition = partition
        self.partitions = partitions
        self.lines = 0
        self.size = 0
        self._texts: list[bytes] = []
        self._waiting: list[OnDelivered] = []

    def has_room_for(self, lines: Lines) -> bool:
        """Whether these lines as well keep the limits of a record."""
        return self.lines + lines.number <= MAX_LINES and self.size + len(lines.text) <= MAX_BYTES

    def add(self, lines: Lines, on_delivered: OnDelivered) -> None:
        """Takes the lines; `on_delivered` is called once it is settled."""
        self._texts.append(lines.text)
        self.lines += lines.number
        self.size += len(lines.text)
        self._waiting.append(on_delivered)

    def value(self) -> bytes:
        """What Kafka gets."""
        return b"".join(self._texts)

    def headers(self) -> RecordHeaders:
        """What Kafka gets beside the value."""
        return [(PARTITIONS_HEADER, b"%d" % self.partitions)]

    def forget_text(self) -> None:
        """Gives up the lines' text: somebody else holds it."""
        self._texts.clear()

    def settle(self, outcome: Outcome) -> None:
        """Answers everyone who waits for it, once."""
        waiting, self._waiting = self._waiting, []
        for on_delivered in waiting:
            try:
                on_delivered(outcome)
            except Exception:
                logger.exception("a caller could not be answered; the others are")


class AllDelivered:
    """An OnDelivered for each of several records, which reports once what became of all."""

    def __init__(self, records: int, on_delivered: OnDelivered) -> None:
        """For no records it reports at once."""
        self._records = records
        self._open = records
        self._on_delivered = on_delivered
        self._failures: list[PublishUnavailable] = []
        self._positions: list[Position | None] = []
        if records == 0:
            on_delivered(None)

    def __call__(self, outcome: Outcome) -> None:
        """To be called for each record."""
        self._open -= 1
        if isinstance(outcome, PublishUnavailable):
            self._failures.append(outcome)
        else:
            self._positions.append(outcome)
        if self._open == 0:
            self._on_delivered(self._outcome())

    def _outcome(self) -> Outcome:
        """Part of them sent is an unknown outcome of the whole."""
        if not self._failures:
            return together(self._positions)
        if len(self._failures) == self._records and all(isinstance(one, NotPublished) for one in self._failures):
            return self._failures[0]
        return OutcomeUnknown(str(self._failures[0]))


NewRecord = Callable[[int, int], OutgoingRecord]
"""Makes an empty record of a partition, one of so many."""


class RecordAccumulator:
    """One open record a partition. A record is sent when it is full, has lines enough, or has waited for `linger`."""

    def __init__(
        self, send: Callable[[OutgoingRecord], None], linger: float, new_record: NewRecord = OutgoingRecord
    ) -> None:
        """`linger` in seconds. `send` gets each record once, on the event loop."""
        self._send = send
        self._new_record = new_record
        self._linger = linger
        self._open: dict[int, OutgoingRecord] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, all_lines: Iterable[Lines], partitions: int, on_delivered: OnDelivered) -> None:
        """Takes lines whose partitions are of `partitions`; `on_delivered` is called once for each, with its record."""
        for lines in all_lines:
            record = self._open.get(lines.partition)
            if record is None or record.partitions != partitions or not record.has_room_for(lines):
                record = self._begin(lines.partition, partitions)
            record.add(lines, on_delivered)
            if record.lines >= ENOUGH_LINES:
                self._send(self._open.pop(lines.partition))
        if self._open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self.flush)

    def _begin(self, partition: int, partitions: int) -> OutgoingRecord:
        if partition in self._open:
            self._send(self._open.pop(partition))
        record = self._open[partition] = self._new_record(partition, partitions)
        return record

    def flush(self) -> None:
        """Sends all that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._open = self._open, {}
        for record in waiting.values():
            self._send(record)
