"""One partition as its owner counts it: folding record by record, and a snapshot for each flush.

All of it is a cache over the store: losing it costs a reload.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Rebuild
from contract.log.record import Record
from contract.store import StoreReader
from stream_workers import metrics
from stream_workers.partition.authority import Authority
from stream_workers.partition.decoded import DecodedRecord
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.pending_lines import PendingLines
from stream_workers.partition.rebuild import PastRecords, adopted_windows
from stream_workers.partition.resume import require_same_record
from stream_workers.partition.windows import DrawSlot, WindowSlot, WindowTable


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
        self.progress_slot = draw_slot()
        self.progress = start
        """As of the last snapshot."""
        self.stored_through = start.through_offset
        """As of the last flush that was committed."""
        self.stored_watermark = start.watermark
        """Likewise."""
        self.folded = start.through_offset
        self.table = WindowTable(source, draw_slot)
        self.windows = self.table.windows
        """By hour."""
        self._start = start
        self._past = past
        self._authority = Authority(source, start.rebuilt)
        self.pending = PendingLines(source, start.watermark)
        self._decoded: dict[int, DecodedRecord] = {}
        """By offset: decoded before their turn."""
        self._in_flight: PartitionFlush | None = None

    @property
    def unflushed_lines(self) -> int:
        """Lines folded since the last snapshot."""
        return len(self.pending.lines)

    @property
    def settled(self) -> bool:
        """Whether everything folded is stored: by our own flushes, or by another owner who is ahead of us."""
        is_behind = self._in_flight is None and self.folded < self.table.must_reach
        return self.stored_through == self.folded or is_behind

    @property
    def may_flush(self) -> bool:
        """Whether there is something to flush, and a flush may end here."""
        is_new = self.folded > self.progress.through_offset
        return self._in_flight is None and is_new and self.folded >= self.table.must_reach

    async def fold(self, record: Record, reader: StoreReader) -> None:
        """Counts a record; one that was counted before is skipped. Raises what the reader raises, and LogTruncated."""
        if record.offset <= self.folded:
            if record.offset == self._start.through_offset:
                require_same_record(self.source, self._start, record)
            return
        if record.is_rebuild:
            await self._fold_rebuild(record, reader)
            return
        decoded = self._decode(record)
        self.table.pin(decoded.by_hour.keys())
        await self.table.load(decoded.by_hour.keys(), reader)
        self._apply(record, decoded)
        self.table.pin(())

    async def _fold_rebuild(self, record: Record, reader: StoreReader) -> None:
        """Takes over what a rebuild stored, if it was one; nobody else's word changes a window."""
        rebuild = Rebuild.decode(record.value, record.offset)
        refusal = rebuild and await self._authority.refusal_of(rebuild, record, reader)
        adopted = {}
        if rebuild and not refusal:
            adopted = await adopted_windows(self.source, rebuild, record.offset, reader, self._past)
        # What was decoded ahead may be another log's record: the topic was created again, as the next flush will find.
        self._decoded.pop(record.offset, None)
        # Nothing waits from here on: a flush takes all of it or nothing.
        if refusal:
            metrics.REFUSED_REBUILDS.labels(refusal).inc()
            self.pending.refuse(record, refusal)
        elif rebuild:
            self.table.replace(adopted, record.timestamp)
            self._authority.rebuilt = record.offset
        self._apply(record, DecodedRecord.of(record))

    def fold_at_once(self, record: Record) -> bool:
        """Counts a record that needs nothing from the store; False where `fold` must do it."""
        if record.is_rebuild or record.offset <= self.folded:
            return False
        decoded = self._decode(record)
        if not decoded.by_hour.keys() <= self.windows.keys():
            self._decoded[record.offset] = decoded
            return False
        self._apply(record, decoded)
        return True

    def pass_over(self, first: int, end: int) -> bool:
        """Moves on to `end`, where the log has no committed record from `first` up to there; False if more was folded.

        That the log has none stays true, so only the place must fit.
        """
        if self.folded + 1 != first:
            return False
        self.folded = end - 1
        return True

    def decode_ahead(self, record: Record) -> AbstractSet[int]:
        """The hours of a record that will be folded next; none of one that was folded already.

        A partition that was just acquired has no windows: loaded one record after another, 200 late hours per partition
        cost 14 s after a restart.
        """
        self._authority.received(record.offset)
        if record.offset <= self.folded:
            return frozenset()
        decoded = self._decoded[record.offset] = DecodedRecord.of(record)
        return decoded.by_hour.keys()

    async def load(self, hours: Collection[int], reader: StoreReader) -> None:
        """Loads those windows of `hours` that are not in memory."""
        await self.table.load(hours, reader)

    def snapshot(self) -> PartitionFlush | None:
        """What a flush stores that ends where folding stands; None for nothing, or where none may end here."""
        if not self.may_flush:
            return None
        windows, segments = self.table.flush(self.folded)
        raw, rejected, refused, self.progress = self.pending.flush(self.progress, self.folded, self._authority.rebuilt)
        self._in_flight = PartitionFlush(self, raw, windows, segments, rejected, refused, self.progress)
        return self._in_flight

    def committed(self, flush: PartitionFlush) -> None:
        """The store has acknowledged all of the flush, its progress too."""
        for slot, _ in flush.windows:
            slot.turn ^= 1
        self.stored_through = flush.progress.through_offset
        self.stored_watermark = flush.progress.watermark
        self._in_flight = None

    def evictable(self) -> list[WindowSlot]:
        """Windows that are written and committed, and not about to be folded into."""
        flush = self._in_flight
        return self.table.evictable([] if flush is None else [slot.hour for slot, _ in flush.windows])

    def _decode(self, record: Record) -> DecodedRecord:
        return self._decoded.pop(record.offset, None) or DecodedRecord.of(record)

    def _apply(self, record: Record, decoded: DecodedRecord) -> None:
        self.table.fold(record, decoded.by_hour)
        self.pending.add(record, decoded)
        self.folded = record.offset
