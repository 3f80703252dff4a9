"""One partition as its owner holds it: what was folded since the last flush, and the windows in memory.

All of it is a cache over the store: losing it costs a reload.
"""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import msgspec

from contract.action import RULES_VERSION, Action, Rejection
from contract.errors import LogNotRetained, LogTruncated
from contract.progress import LogPartition, Progress
from contract.rebuild import Rebuild
from contract.record import Record, mark_of
from contract.store import RawActions, SegmentPoint, StoreReader, WindowPoint
from contract.window import Window
from contract.window_value import WindowValue
from stores.committed import read_loads
from stream_workers import metrics
from stream_workers.partition.decoded import DecodedRecord, RejectedLine, rejected_lines
from stream_workers.partition.rebuild import PastRecords, rebuilt_windows
from stream_workers.partition.window_slot import WindowSlot

logger = logging.getLogger(__name__)

DrawSlot = Callable[[], int]


@dataclass(frozen=True, slots=True)
class PartitionFlush:
    """What one flush stores of one partition. The values are immutable; only the slots may still be drawn anew."""

    state: "PartitionState"
    raw: RawActions
    windows: list[tuple[WindowSlot, WindowValue]]
    segments: list[SegmentPoint]
    rejected: list[RejectedLine]
    progress: Progress

    def window_points(self) -> list[WindowPoint]:
        """The windows' values, each at the slot whose turn it is."""
        source = self.state.source
        return [WindowPoint(source, held.hour, held.slots[held.turn], value) for held, value in self.windows]

    def draw_window_slots(self) -> None:
        """After a write with an unknown outcome: a late write must not land on a newer value."""
        for held, _ in self.windows:
            held.slots[held.turn] = self.state.draw_slot()


class PartitionState:
    """Folds a partition's records, in the order of their offsets, and takes snapshots to flush.

    One flush may be in flight while the next one is being folded. `generation` is the consumer group's generation in
    which the partition was assigned.
    """

    def __init__(
        self,
        source: LogPartition,
        start: Progress,
        draw_slot: DrawSlot,
        past: PastRecords,
        generation: int = 0,
    ) -> None:
        """A partition that starts from a progress which the store has acknowledged."""
        self.source = source
        self.generation = generation
        self.draw_slot = draw_slot
        self._past = past
        self.progress_slot = draw_slot()
        self.progress = start
        """As of the last snapshot."""
        self.stored_through = start.through_offset
        """As of the last flush that was committed."""
        self.folded = start.through_offset
        self.must_reach = -1
        """Highest through_offset of a loaded window: no flush ends below it."""
        self.windows: dict[int, WindowSlot] = {}
        self._start = start
        self._touched: set[int] = set()
        self._pinned: set[int] = set()
        self._ahead: dict[int, DecodedRecord] = {}
        """By offset: decoded before their turn."""
        self._in_flight: PartitionFlush | None = None
        self._lines: list[Action | None] = []
        self._rejected: list[RejectedLine] = []
        self._watermark = start.watermark
        self._last: Record | None = None

    @property
    def unflushed_lines(self) -> int:
        """Lines folded since the last snapshot."""
        return len(self._lines)

    @property
    def settled(self) -> bool:
        """Whether everything folded is stored: by our own flushes, or by another owner who is ahead of us."""
        return self.stored_through == self.folded or (self._in_flight is None and self.folded < self.must_reach)

    @property
    def may_flush(self) -> bool:
        """Whether there is something to flush, and a flush may end here."""
        return self._in_flight is None and self.folded > self.progress.through_offset and self.folded >= self.must_reach

    async def fold(self, record: Record, reader: StoreReader) -> None:
        """Counts a record; a record seen before is passed over. Raises what the reader raises, and LogTruncated."""
        if record.offset <= self.folded:
            if record.offset == self._start.through_offset:
                self._recognise(record)
            return
        decoded = self._decode(record)
        if record.is_rebuild:
            await self._take_rebuilt(record, reader)
        self._pinned = set(decoded.by_hour)
        await self.load(decoded.by_hour.keys(), reader)
        self._apply(record, decoded.lines, decoded.by_hour)
        self._pinned = set()

    def fold_at_once(self, record: Record) -> bool:
        """Counts a record that needs nothing from the store; False where `fold` must do it."""
        if record.is_rebuild or record.offset <= self.folded:
            return False
        decoded = self._decode(record)
        if not decoded.by_hour.keys() <= self.windows.keys():
            self._ahead[record.offset] = decoded
            return False
        self._apply(record, decoded.lines, decoded.by_hour)
        return True

    def _decode(self, record: Record) -> DecodedRecord:
        return self._ahead.pop(record.offset, None) or DecodedRecord.of(record)

    async def _take_rebuilt(self, record: Record, reader: StoreReader) -> None:
        """The rebuilt hours are counted on from what the rebuild has stored, and written anew by the next flush."""
        rebuild = Rebuild.decode(record.value, record.offset)
        if rebuild is None:
            return
        try:
            windows = await rebuilt_windows(self.source, rebuild, record.offset, reader, self._past)
        except LogNotRetained as error:
            # Nobody can do it any more: these hours stay as they were.
            logger.error("%s: a rebuild was not taken over: %s", self.source, error)  # noqa: TRY400 - the text says all
            return
        for hour, window in windows.items():
            slots = [self.draw_slot(), self.draw_slot()]
            self.windows[hour] = WindowSlot(hour, window, slots, used=record.timestamp)
        self._touched |= windows.keys()
        metrics.REBUILT.inc(len(windows))
        logger.info("%s: took %d rebuilt windows over, generation %d", self.source, len(windows), rebuild.generation)

    def look_ahead(self, records: Iterable[Record]) -> set[int]:
        """The hours whose windows are missing, for records that will be folded next.

        A partition that was just taken over has no windows: loaded one record after another, 200 late hours a partition
        cost 14 s after a restart.
        """
        for record in records:
            if record.offset > self.folded:
                self._ahead[record.offset] = DecodedRecord.of(record)
        return {hour for decoded in self._ahead.values() for hour in decoded.by_hour} - self.windows.keys()

    def _recognise(self, record: Record) -> None:
        found = mark_of(record)
        if self._start.mark not in (None, found):
            raise LogTruncated(
                f"{self.source}: the record at offset {record.offset} is {found}, not {self._start.mark} as progress "
                "remembers: the log was truncated and written anew"
            )

    async def load(self, hours: Collection[int], reader: StoreReader) -> None:
        """Loads those windows of `hours` that are not in memory."""
        missing = [hour for hour in hours if hour not in self.windows]
        if not missing:
            return
        for hour, (value, segments) in (await read_loads(reader, missing, self.source)).items():
            self.must_reach = max(self.must_reach, value.through_offset)
            self.windows[hour] = WindowSlot(hour, Window(value, segments), [self.draw_slot(), self.draw_slot()])

    def _apply(self, record: Record, lines: list[Action | Rejection], by_hour: dict[int, list[Action]]) -> None:
        for hour, actions in by_hour.items():
            held = self.windows[hour]
            held.used = record.timestamp
            held.window.fold(record.offset, record.partitions, actions)
        self._touched |= by_hour.keys()
        if sum(map(len, by_hour.values())) == len(lines):
            self._lines += lines  # type: ignore[arg-type] # every line is an Action here
        else:
            self._lines += [line if isinstance(line, Action) else None for line in lines]
            self._rejected += rejected_lines(self.source, record, lines)
        self.folded = record.offset
        self._watermark = max(self._watermark, record.timestamp)
        self._last = record

    def snapshot(self) -> PartitionFlush | None:
        """What a flush stores that ends at the last folded record; None for nothing, or where none may end here."""
        if not self.may_flush:
            return None
        end = self.folded
        windows, segments = [], []
        for hour in self._touched:
            held = self.windows[hour]
            flushed = held.window.flush(end)
            if flushed is not None:
                windows.append((held, flushed[0]))
                segments += [SegmentPoint(self.source, hour, segment) for segment in flushed[1]]
        raw = RawActions(self.source, self.progress.lines, self._lines)
        self.progress = self._next_progress(end)
        self._in_flight = PartitionFlush(self, raw, windows, segments, self._rejected, self.progress)
        self._touched, self._lines, self._rejected = set(), [], []
        return self._in_flight

    def _next_progress(self, end: int) -> Progress:
        rejected = dict(self.progress.rejected)
        for line in self._rejected:
            rejected[line.code] = rejected.get(line.code, 0) + 1
        last = self._last
        return msgspec.structs.replace(
            self.progress,
            through_offset=end,
            lines=self.progress.lines + len(self._lines),
            rejected=rejected,
            watermark=self._watermark,
            rules=RULES_VERSION,
            mark=None if last is None else mark_of(last),
        )

    def committed(self, flush: PartitionFlush) -> None:
        """The store has acknowledged all of the flush, its progress too."""
        for held, _ in flush.windows:
            held.turn ^= 1
        self.stored_through = flush.progress.through_offset
        self._in_flight = None

    def evictable(self) -> list[WindowSlot]:
        """Windows that are written and committed, and not about to be folded into."""
        busy = self._touched | self._pinned
        if self._in_flight is not None:
            busy |= {held.hour for held, _ in self._in_flight.windows}
        return [held for hour, held in self.windows.items() if hour not in busy]
