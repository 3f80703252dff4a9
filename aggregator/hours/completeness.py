"""How complete an answer is: a pure function of what was read, in the order in which it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aggregator.end_offsets.cache import EndOffsets
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress


@dataclass(frozen=True, slots=True)
class Completeness:
    """What an answer can promise."""

    complete_through: int | None
    """Every action acknowledged before this instant (ms since the epoch) is counted; None: nothing can be promised."""
    lag: int | None
    """Records of the current log that were not yet counted; None: unknown."""
    final: bool
    """The hour is over, and `complete_through` lies beyond its end by more than the margin for clock skew."""


UNKNOWN: Final = Completeness(None, None, final=False)

_MS: Final = timedelta(milliseconds=1)


def completeness_of(
    hour: int, end_offsets: EndOffsets | None, progress: Mapping[LogPartition, Progress], margin: timedelta
) -> Completeness:
    """What can be promised for an hour whose windows were read after `progress`, and that after `end_offsets`.

    A partition without progress counts as unread. One that lags is complete through its
    watermark: the topic's record timestamps are the broker's and rise, so what is still to come was acknowledged later.
    """
    if end_offsets is None or is_outdated(end_offsets, progress):
        return UNKNOWN
    lag = 0
    complete_through: int | None = end_offsets.taken_at
    for partition, end in end_offsets.ends.by_partition.items():
        counted = progress.get(LogPartition(end_offsets.ends.log, partition), Progress())
        missing = end - (counted.through_offset + 1)
        if missing > 0:
            lag += missing
            complete_through = _earlier(complete_through, counted.watermark)
    final = complete_through is not None and complete_through > hour + HOUR_MS + margin / _MS
    return Completeness(complete_through, lag, final)


def is_behind(end_offsets: EndOffsets, progress: Mapping[LogPartition, Progress]) -> bool:
    """Whether more was counted than these end offsets know of: they are older, or the log was truncated."""
    return any(
        counted.through_offset >= end_offsets.ends.by_partition.get(source.partition, counted.through_offset + 1)
        for source, counted in progress.items()
        if source.log == end_offsets.ends.log
    )


def is_outdated(end_offsets: EndOffsets, progress: Mapping[LogPartition, Progress]) -> bool:
    """Whether the broker that was asked does not know partitions yet that were written and counted already."""
    return any(
        source.log == end_offsets.ends.log and source.partition not in end_offsets.ends.by_partition
        for source, counted in progress.items()
        if counted.through_offset >= 0
    )


def _earlier(instant: int | None, watermark: int) -> int | None:
    # A partition of which no record was seen promises nothing.
    return None if instant is None or watermark < 0 else min(instant, watermark)
