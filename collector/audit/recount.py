"""Counting a partition's records again: independently of the workers' fold, by plain sets of names.

Measured: 98 MB for a million users in one hour, 276 MB for a million users with an id of 24 characters each; names are
kept for all hours that are counted, ids for one partition at a time. `--from` and `--to` bound the hours.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from collector.hour_range import HourRange
from contract.log.action import Rejection
from contract.log.event_names import counted_as
from contract.log.progress import RecordMark
from contract.log.record import Record, lines_of, mark_of

_HOUR_MS = 3_600_000


@dataclass(slots=True)
class RecountedHour:
    """What the log gives for one hour of one partition."""

    counts: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    users: set[str] = field(default_factory=set)
    ids: set[tuple[str, str]] = field(default_factory=set)
    headers: set[int] = field(default_factory=set)
    """The partition counts that its records' headers named."""


class Recount:
    """One partition, from the first record that it has. Lines are counted in all hours, users within the range only."""

    def __init__(self, hours: HourRange) -> None:
        """Nothing counted yet."""
        self.hours: dict[int, RecountedHour] = defaultdict(RecountedHour)
        self.records = 0
        self.lines = 0
        self.rejected: Counter[str] = Counter()
        self.watermark = -1
        self.last: RecordMark | None = None
        self._range = hours

    def add(self, record: Record) -> None:
        """Counts a record; records come in the order of their offsets."""
        lines = lines_of(record)
        self.records += 1
        self.lines += len(lines)
        self.watermark = max(self.watermark, record.timestamp)
        self.last = mark_of(record)
        first, end = self._range
        for line in lines:
            if isinstance(line, Rejection):
                self.rejected[line.code] += 1
                continue
            start = line.timestamp // _HOUR_MS * _HOUR_MS
            if not first <= start < end:
                continue
            hour = self.hours[start]
            hour.headers.add(record.partitions)
            if line.id is not None:
                if (line.user, line.id) in hour.ids:
                    hour.duplicates += 1
                    continue
                hour.ids.add((line.user, line.id))
            hour.counts[counted_as(line.event, hour.counts)] += 1
            hour.users.add(line.user)
