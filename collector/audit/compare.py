"""Comparing what is stored and answered with what was counted again. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from collector.audit.recount import Recount, RecountedHour
from collector.audit.verdict import Difference, Lines, Numbers
from collector.hour_range import HourRange
from collector.retention import Retained, whole_hours
from contract.hour import format_hour
from contract.log.action import RULES_VERSION
from contract.log.progress import Progress
from contract.windows.window_value import WindowValue
from stores.committed_hours import CommittedHours


def reason_not_to_read(where: str, stored: CommittedHours | None, end: int) -> str | None:
    """Why a partition whose log holds the offsets up to, not including, `end` cannot be judged; None if it can."""
    if stored is None:
        return f"{where}: its progress kept moving while its windows were read; ask for fewer hours"
    progress = stored.progress
    if progress.through_offset < 0:
        return f"{where}: the store has no progress for it" if end > 0 else None
    if progress.rules != RULES_VERSION:
        return (
            f"{where}: counted by version {progress.rules} of the log's rules; this program has version {RULES_VERSION}"
        )
    if progress.through_offset >= end:
        return f"{where}: progress says {progress.through_offset}, but the log ends before {end}: it was truncated"
    return None


def reason_not_to_compare(where: str, progress: Progress, recount: Recount, first: int = 0) -> str | None:
    """Why a partition that was read from `first` on cannot be judged: its log is not the one that was counted."""
    if progress.mark in (None, recount.last) or progress.through_offset < first:
        return None
    return (
        f"{where}: the record at offset {progress.through_offset} is {recount.last}, not {progress.mark} as progress "
        "remembers: the log was truncated and rewritten"
    )


def reason_not_whole(where: str, hours: HourRange, retained: Retained) -> str | None:
    """Why a partition of which an hour was asked for cannot be judged: retention removed some of it."""
    if hours.first == 0 or hours.first >= retained.whole_from:
        return None
    return (
        f"{where}: its first offset is {retained.first}, so it no longer holds all of {format_hour(hours.first)}"
        + whole_hours(retained)
    )


def whole_windows(stored: CommittedHours, retained: Retained) -> CommittedHours:
    """What is stored of the hours that the log still holds whole."""
    return stored._replace(
        windows={hour: window for hour, window in stored.windows.items() if hour >= retained.whole_from}
    )


def window_differences(partition: int, stored: CommittedHours, recount: Recount) -> Iterator[Difference]:
    """The hours whose stored window is not what the log gives, including missing and superfluous windows."""
    for hour in sorted(stored.windows.keys() | recount.hours.keys()):
        window, recounted = _of_window(stored.windows.get(hour)), _of_recount(recount.hours.get(hour))
        if window != recounted:
            yield Difference("window", format_hour(hour), partition, window, recounted)


def progress_differences(partition: int, progress: Progress, recount: Recount) -> Iterator[Difference]:
    """Whether progress counts exactly the lines that the log has."""
    stored = Lines(progress.lines, progress.rejected, progress.watermark)
    recounted = Lines(recount.lines, dict(recount.rejected), recount.watermark)
    if stored != recounted:
        yield Difference("progress", None, partition, stored, recounted)


def _of_window(value: WindowValue | None) -> Numbers | None:
    if value is None:
        return None
    return Numbers(value.counts, value.duplicates, value.unique_users, value.fewest_partitions, value.most_partitions)


def _of_recount(hour: RecountedHour | None) -> Numbers | None:
    if hour is None:
        return None
    return Numbers(dict(hour.counts), hour.duplicates, len(hour.users), min(hour.headers), max(hour.headers))


class RecountedTotals:
    """Hours added up over all partitions: users by the union of their names, whatever their records were keyed by."""

    def __init__(self) -> None:
        """Nothing added yet."""
        self._counts: dict[int, Counter[str]] = {}
        self._duplicates: Counter[int] = Counter()
        self._users: dict[int, set[str]] = {}

    def add(self, hours: Mapping[int, RecountedHour]) -> None:
        """One more partition."""
        for hour, recounted in hours.items():
            self._counts.setdefault(hour, Counter()).update(recounted.counts)
            self._duplicates[hour] += recounted.duplicates
            if hour in self._users:
                self._users[hour] |= recounted.users
            else:
                self._users[hour] = recounted.users

    def of(self, hour: int) -> Numbers:
        """The hour's numbers; zeros where the log has nothing of it."""
        return Numbers(dict(self._counts.get(hour, {})), self._duplicates.get(hour, 0), len(self._users.get(hour, ())))
