"""Values for an hour of two partitions, and how they are committed."""

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, Store
from contract.windows.window_value import WindowValue

LOG = "OldrkDJ2R4WmwCUXOqKyRw"
SOURCE, OTHER = LogPartition(LOG, 0), LogPartition(LOG, 1)
NOVEMBER = 494_902 * HOUR_MS


def progress(through_offset: int) -> Progress:
    return Progress(through_offset, watermark=NOVEMBER)


def value(through_offset: int) -> WindowValue:
    return WindowValue(through_offset, {"click": through_offset}, 0, 1, 4, 4)


async def commit(store: Store, source: LogPartition, through_offset: int) -> None:
    await store.write_progress([ProgressPoint(source, 7, progress(through_offset))])
