"""A past that the store is filled with directly: no worker counts it, so a run need not wait for that."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from bench.load.traffic import HOUR_MS, Numbers
from bench.running.services import PARTITIONS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, StoreWriter, WindowPoint
from contract.windows.hash_set import union
from contract.windows.hashes import Hashes
from contract.windows.segment import cut_segments
from contract.windows.window_value import WindowValue

_LOG: Final = "bench-past"
_SLOT: Final = 5


async def fill_hours(store: StoreWriter, hours: range, partitions: int = PARTITIONS) -> Mapping[int, Numbers]:
    """Windows without users' hashes, for each hour and partition; the hours' numbers."""
    through, sources = len(hours), _sources(partitions)
    for day in range(0, len(hours), 24):
        await store.write_windows(
            [
                WindowPoint(source, hour, _SLOT, _window(through, number + source.partition, 10 * number, number))
                for number, hour in enumerate(hours[day : day + 24], day)
                for source in sources
            ],
            [],
        )
    await _commit(store, sources, through, hours[-1])
    both = sum(range(partitions))
    return {
        hour: Numbers(partitions * number, partitions * number + both, 10 * partitions * number)
        for number, hour in enumerate(hours)
    }


async def fill_users(store: StoreWriter, hours: range, users_an_hour: int, population: int) -> int:
    """Each hour has so many users, drawn from so many; how many there are over all the hours."""
    random, sources = np.random.default_rng(11), _sources(PARTITIONS)
    everybody = np.unique(random.integers(0, 2**64, population, np.uint64))
    found: Hashes = np.empty(0, np.uint64)
    drawn = _draws(random, everybody, users_an_hour, len(hours))
    for hour, users in zip(hours, drawn, strict=True):
        found = union([found, users])
        for source in sources:
            # A user lives on one partition.
            mine = users[users % np.uint64(PARTITIONS) == np.uint64(source.partition)]
            segments = [SegmentPoint(source, hour, one) for one in cut_segments(1, mine, [])]
            await store.write_windows([WindowPoint(source, hour, _SLOT, _window(1, len(mine), 0, len(mine)))], segments)
    await _commit(store, sources, 1, hours[-1])
    return len(found)


def _draws(random: np.random.Generator, everybody: Hashes, users: int, hours: int) -> Iterator[Hashes]:
    for hour in range(hours):
        if users * hours <= len(everybody):
            yield everybody[hour * users : (hour + 1) * users]
        else:
            yield np.sort(random.choice(everybody, users, replace=False, shuffle=False))


def _window(through: int, clicks: int, impressions: int, users: int) -> WindowValue:
    return WindowValue(through, {"click": clicks, "impression": impressions}, 0, users, PARTITIONS, PARTITIONS)


async def _commit(store: StoreWriter, sources: Sequence[LogPartition], through: int, watermark: int) -> None:
    progress = Progress(through, lines=through + 1, watermark=watermark)
    await store.write_progress([ProgressPoint(source, _SLOT, progress) for source in sources])


def _sources(partitions: int) -> list[LogPartition]:
    return [LogPartition(_LOG, partition) for partition in range(partitions)]


def hours_before(hour: int, number: int) -> range:
    """So many hours that end where `hour` begins."""
    return range(hour - number * HOUR_MS, hour, HOUR_MS)
