"""Somebody sends one action in each of very many hours: what adds all hours up must not grow with them."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import psutil  # type: ignore[import-untyped] # it has no types

from aggregator.end_offsets.cache import CacheLimits, EndOffsetsCache
from aggregator.end_offsets.port import FakeEndOffsets
from aggregator.ledger.model import Ledger
from aggregator.ledger.reader import LedgerReader
from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from support.pipeline.pipeline import Pipeline, now

WINDOWS = 300_000
HOURS = 1_000
CLICKS = 2
SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 0)
WHOLE_ANSWER = 60_000_000
"""Bytes: the states of so many windows have more."""


class WatchedStore(InfluxStore):
    """Remembers the most memory that this process took while windows were streamed, in bytes."""

    most_memory = 0

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        async for points in super().stream_windows(first, end, source):
            self.most_memory = max(self.most_memory, memory())
            yield points


def memory() -> int:
    """Bytes that this process takes."""
    return int(psutil.Process().memory_info().rss)


@asynccontextmanager
async def stored_windows(influx: InfluxSettings) -> AsyncIterator[WatchedStore]:
    """A window in each of the first hours since 1970, all committed."""
    # A slow machine must not look like an outage.
    store = WatchedStore(influx.model_copy(update={"influx_timeout": timedelta(minutes=5)}), now)
    for first in range(0, WINDOWS, 50_000):
        hours = range(first, first + 50_000)
        value = WindowValue(WINDOWS, {"click": CLICKS}, 1, 1, 1, 1)
        await store.write_windows([WindowPoint(SOURCE, hour * HOUR_MS, hour, value) for hour in hours], [])
    lines = WINDOWS * (CLICKS + 1)
    await store.write_progress([ProgressPoint(SOURCE, 0, Progress(WINDOWS, lines, watermark=now()))])
    yield store
    await store.close()


def ledger_reader(store: InfluxStore) -> LedgerReader:
    settings, metrics = AggregatorSettings(aggregator_store_timeout="PT300S"), Metrics()
    limits = CacheLimits(
        settings.aggregator_ends_max_age, settings.aggregator_kafka_timeout, settings.aggregator_kafka_retry
    )
    ends = FakeEndOffsets(SOURCE.log, {0: WINDOWS + 1})
    return LedgerReader(store, EndOffsetsCache(ends, now, metrics, limits=limits), metrics, settings)


def is_exact(ledger: Ledger, more: int) -> bool:
    totals = ledger.totals
    counted, duplicates = CLICKS * WINDOWS + more, WINDOWS
    return (totals.counted, totals.duplicates, totals.lines) == (counted, duplicates, counted + duplicates)


async def test_the_ledger_of_300000_windows_is_exact_and_never_holds_more_than_a_portion_of_them(
    influx1: InfluxSettings,
) -> None:
    async with stored_windows(influx1) as store:
        reader = ledger_reader(store)
        before = memory()
        assert is_exact(await reader.read(), more=0)
        assert 0 < store.most_memory < before + WHOLE_ANSWER / 4

        # What is counted on is seen, and what did not change is not read again.
        latest = WindowPoint(SOURCE, 0, WINDOWS, WindowValue(WINDOWS + 1, {"click": CLICKS + 5}, 1, 1, 1, 1))
        await store.write_windows([latest], [])
        lines = WINDOWS * (CLICKS + 1) + 5
        await store.write_progress([ProgressPoint(SOURCE, 1, Progress(WINDOWS + 1, lines, watermark=now()))])
        assert is_exact(await reader.read(), more=5)


async def test_a_worker_that_comes_after_one_that_was_killed_counts_on_in_very_many_hours(pipeline: Pipeline) -> None:
    """Between quiet hours lie busy ones, whose users are not loaded with theirs."""
    rng = random.Random(5)
    hours = [pipeline.this_hour - ago * HOUR_MS for ago in range(HOURS)]
    quiet = [click(rng, hour) for hour in hours]
    busy = [click(rng, hour) for hour in hours[::100] for _ in range(200)]
    first = pipeline.started(worker_flush_windows="100")
    pipeline.send([*quiet, *busy], lines=50)
    await pipeline.counted()
    first.kill()

    pipeline.send([*quiet[::2], *(click(rng, hour) for hour in hours)], lines=50)
    pipeline.replacement(worker_flush_windows="100")

    await pipeline.counted()
    await pipeline.is_exact()


def click(rng: random.Random, hour: int) -> Action:
    return Action(hour + rng.randrange(HOUR_MS), f"user-{rng.randrange(1_000)}", "click", f"id-{rng.random()}")
