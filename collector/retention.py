"""Which hours a partition's log still holds whole, once retention has removed its beginning."""

from contextlib import closing
from datetime import timedelta
from typing import Final, NamedTuple

from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour, hour_of
from contract.log.progress import Progress
from kafka_log.reader import LogReader

_SKEW: Final = timedelta(minutes=1)
"""By which the clocks of brokers and of the ingest API may disagree."""
_MS: Final = timedelta(milliseconds=1)


class Retained(NamedTuple):
    """What is left of a partition."""

    first: int
    """Its first offset."""
    whole_from: int
    """The first hour of which no action was removed, ms since the epoch; 0: none was. END_OF_TIME_MS: not known."""


def retained_of(log: LogReader, partition: int, through: int, progress: Progress, tolerance: timedelta) -> Retained:
    """What is left of a partition that can be read up to and including `through`.

    An action comes at most `tolerance` before its time: the ingest API sees to that. So what was removed from before a
    record has no action of the hours that begin so long after that one. Raises what LogReader.records raises.
    """
    first = log.extent(partition).first
    if first == 0:
        return Retained(0, 0)
    with closing(log.records(partition, through, first)) as records:
        earliest = next(records, None)
    if earliest is not None:
        return Retained(first, whole_after(earliest.timestamp, tolerance))
    if progress.through_offset < first - 1:
        # Nobody knows when the last one that was removed was appended.
        return Retained(first, END_OF_TIME_MS)
    return Retained(first, whole_after(progress.watermark, tolerance))


def whole_hours(retained: Retained) -> str:
    """The end of a sentence on what it does not hold: what it does."""
    if retained.whole_from >= END_OF_TIME_MS:
        return ""
    return f"; hours from {format_hour(retained.whole_from)} on are whole"


def whole_after(appended: int, tolerance: timedelta) -> int:
    """The first hour of which nothing was appended by the instant `appended` (both ms since the epoch)."""
    return min(hour_of(appended + (tolerance + _SKEW) // _MS) + HOUR_MS, END_OF_TIME_MS)
