"""The lines of one partition that were folded and not flushed yet."""

import msgspec

from contract.log.action import RULES_VERSION, Action
from contract.log.progress import LogPartition, Progress
from contract.log.record import Record, mark_of
from contract.store import RawActions
from stream_workers.partition.decoded import DecodedRecord, RejectedLine, rejected_lines


class PendingLines:
    """What the next flush stores as raw actions and as rejected lines, and by what it moves progress on."""

    def __init__(self, source: LogPartition, watermark: int) -> None:
        """No lines; `watermark` is the highest record timestamp so far, ms since the epoch."""
        self._source = source
        self._watermark = watermark
        self.lines: list[Action | None] = []
        """None stands for a rejected line."""
        self._rejected: list[RejectedLine] = []
        self._refused: list[RejectedLine] = []
        self._last: Record | None = None

    def add(self, record: Record, decoded: DecodedRecord) -> None:
        """Takes a record's lines."""
        lines, by_hour = decoded
        if sum(map(len, by_hour.values())) == len(lines):
            self.lines += lines  # type: ignore[arg-type] # every line is an Action here
        else:
            self.lines += [line if isinstance(line, Action) else None for line in lines]
            self._rejected += rejected_lines(self._source, record, lines)
        self._watermark = max(self._watermark, record.timestamp)
        self._last = record

    def refuse(self, record: Record, code: str) -> None:
        """Takes a record that said it was a rebuild. Only the store knows that it is none, so it is no line."""
        self._refused.append(RejectedLine(self._source, record.offset, 0, record.value or b"", code))

    def flush(
        self, progress: Progress, end: int, rebuilt: int
    ) -> tuple[RawActions, list[RejectedLine], list[RejectedLine], Progress]:
        """What was added since the last flush: raw, rejected, refused; and the progress that follows on `progress`.

        It ends at `end`; `rebuilt` is the last rebuild's record up to there that took effect.
        """
        raw, rejected, refused = RawActions(self._source, progress.lines, self.lines), self._rejected, self._refused
        following = self._following(progress, end, rebuilt)
        self.lines, self._rejected, self._refused = [], [], []
        return raw, rejected, refused, following

    def _following(self, progress: Progress, end: int, rebuilt: int) -> Progress:
        rejected = dict(progress.rejected)
        for line in self._rejected:
            rejected[line.code] = rejected.get(line.code, 0) + 1
        return msgspec.structs.replace(
            progress,
            through_offset=end,
            lines=progress.lines + len(self.lines),
            rejected=rejected,
            watermark=self._watermark,
            rules=RULES_VERSION,
            # Nobody can read the record at `end` once more where there is none.
            rebuilt=rebuilt,
            mark=mark_of(self._last) if self._last is not None and self._last.offset == end else None,
        )
