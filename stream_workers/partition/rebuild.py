"""What a worker does when it comes to a rebuild in the log."""

import logging
from collections.abc import AsyncIterator
from typing import Protocol

from contract.errors import LogNotRetained
from contract.log.progress import LogPartition
from contract.log.rebuild import Rebuild
from contract.log.record import Record
from contract.store import StoreReader
from contract.windows.window import Window
from contract.windows.window_value import WindowValue
from stores.committed import read_committed_segments
from stream_workers import metrics
from stream_workers.partition.decoded import DecodedRecord

logger = logging.getLogger(__name__)


class PastRecords(Protocol):
    """Reads records of the log again."""

    def read(self, source: LogPartition, first: int, end: int) -> AsyncIterator[Record]:
        """The records from offset `first` up to, not including, `end`, in order.

        Raises LogUnavailable, LogNotRetained where they are gone, LogReplaced where the topic is another log by now.
        """

    async def is_empty(self, source: LogPartition, first: int, end: int) -> bool:
        """Whether there is no committed record from offset `first` up to, not including, `end`, and will never be one.

        False where that is not known yet: some transaction before `end` is open. Raises LogUnavailable, and
        LogNotRetained. The topic may be another log by now: whoever stores what follows looks at its id before.
        """


async def adopted_windows(
    source: LogPartition, rebuild: Rebuild, offset: int, reader: StoreReader, past: PastRecords
) -> dict[int, Window]:
    """The windows to count on from at a rebuild's record, which stands at `offset`; the next flush writes them.

    The store vouches for the rebuild. Raises what `reader` and `past` raise, but not LogNotRetained: then these hours
    stay as they were.
    """
    try:
        windows = await _rebuilt_windows(source, rebuild, offset, reader, past)
    except LogNotRetained as error:
        logger.error("%s: a rebuild was not adopted: %s", source, error)  # noqa: TRY400 - the text says all
        return {}
    metrics.REBUILT.inc(len(windows))
    logger.info("%s: adopted %d rebuilt windows, generation %d", source, len(windows), rebuild.generation)
    return windows


async def _rebuilt_windows(
    source: LogPartition, rebuild: Rebuild, offset: int, reader: StoreReader, past: PastRecords
) -> dict[int, Window]:
    """The windows of the rebuilt hours, counted through the rebuild, which stands at `offset`.

    What was stored for a rebuild was acknowledged before it came into the log: it needs no comparison with progress.
    Hours that have no window here have no action up to `offset`, and no value that would have to be replaced.
    """
    windows = {}
    for point in await reader.read_windows_between(rebuild.first, rebuild.end, source):
        value = point.value
        if (value.generation, value.through_offset) == (rebuild.generation, rebuild.through_offset):
            segments = await read_committed_segments(reader, point.hour, source, value)
            windows[point.hour] = Window(value, segments)
    async for record in past.read(source, rebuild.through_offset + 1, offset):
        for hour, actions in DecodedRecord.of(record).by_hour.items():
            if not rebuild.covers(hour):
                continue
            if hour not in windows:
                windows[hour] = Window(WindowValue(generation=rebuild.generation))
            windows[hour].fold(record.offset, record.partitions, actions)
    return windows
