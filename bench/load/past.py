"""A past that the store is filled with directly: no worker counts it, so a run need not wait for that."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from bench.load.traffic import HOUR_MS, Numbers
from bench.running.services import PARTITIONS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.windows.hash_set import union
from contract.windows.hashes import Hashes
from contract.windows.segment import cut_segments
from contract.windows.window_value import WindowValue
from stores.influx.schema import MS
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore

_LOG: Final = "bench-past"
_SLOT: Final = 5
_SOURCES: Final = [LogPartition(_LOG, partition) for partition in range(PARTITIONS)]


async def fill_hours(influx: InfluxSettings, hours: range) -> Mapping[int, Numbers]:
    """Windows without users' hashes, for each hour and partition; the hours' numbers."""
    store = _store(influx)
    through = len(hours)
    for day in range(0, len(hours), 24):
        await store.write_windows(
            [
                WindowPoint(source, hour, _SLOT, _window(through, number + source.partition, 10 * number, number))
                for number, hour in enumerate(hours[day : day + 24], day)
                for source in _SOURCES
            ],
            [],
        )
    await _commit(store, through, hours[-1])
    both = sum(range(PARTITIONS))
    return {
        hour: Numbers(PARTITIONS * number, PARTITIONS * number + both, 10 * PARTITIONS * number)
        for number, hour in enumerate(hours)
    }


async def fill_users(influx: InfluxSettings, hours: range, users_an_hour: int, population: int) -> int:
    """Each hour has so many users, drawn from so many; how many there are over all the hours."""
    store = _store(influx)
    random = np.random.default_rng(11)
    everybody = np.unique(random.integers(0, 2**64, population, np.uint64))
    found: Hashes = np.empty(0, np.uint64)
    drawn = _draws(random, everybody, users_an_hour, len(hours))
    for hour, users in zip(hours, drawn, strict=True):
        found = union([found, users])
        for source in _SOURCES:
            # A user lives on one partition.
            mine = users[users % np.uint64(PARTITIONS) == np.uint64(source.partition)]
            segments = [SegmentPoint(source, hour, one) for one in cut_segments(1, mine, [])]
            await store.write_windows([WindowPoint(source, hour, _SLOT, _window(1, len(mine), 0, len(mine)))], segments)
    await _commit(store, 1, hours[-1])
    return len(found)


def _draws(random: np.random.Generator, everybody: Hashes, users: int, hours: int) -> Iterator[Hashes]:
    for hour in range(hours):
        if users * hours <= len(everybody):
            yield everybody[hour * users : (hour + 1) * users]
        else:
            yield np.sort(random.choice(everybody, users, replace=False, shuffle=False))


def _window(through: int, clicks: int, impressions: int, users: int) -> WindowValue:
    return WindowValue(through, {"click": clicks, "impression": impressions}, 0, users, PARTITIONS, PARTITIONS)


async def _commit(store: InfluxStore, through: int, watermark: int) -> None:
    progress = Progress(through, lines=through + 1, watermark=watermark)
    await store.write_progress([ProgressPoint(source, _SLOT, progress) for source in _SOURCES])
    await store.close()


def _store(influx: InfluxSettings) -> InfluxStore:
    return InfluxStore(influx, clock=lambda: time.time_ns() // MS)


def hours_before(hour: int, number: int) -> range:
    """So many hours that end where `hour` begins."""
    return range(hour - number * HOUR_MS, hour, HOUR_MS)
