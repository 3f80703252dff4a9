"""Reading: an hour, a month, and the users of a window, as the aggregator and a worker read them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

import numpy as np

from bench.case import Case, Contender, Figures, require
from bench.cases.steps import draw_slot
from bench.load.past import fill_hours, hours_before
from bench.load.stored import numbers_in
from bench.load.traffic import this_hour
from bench.storing.clocked import Clocked
from bench.storing.servers import Server
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, Store, WindowPoint
from contract.windows.segment import cut_segments
from contract.windows.window_value import WindowValue
from kafka_log.settings import KafkaSettings
from stores.committed import read_committed_hours
from stream_workers.partition.past_records import KafkaPastRecords
from stream_workers.partition.state import PartitionState

_DAY: Final = 24
_MONTH: Final = 31 * _DAY
_MANY_PARTITIONS: Final = 64
_FEW_PARTITIONS: Final = 8
_HOURS_READ: Final = 200
_MONTHS_READ: Final = 10
_LOADS: Final = 5
_FLUSHES: Final = 100
_SLOT: Final = 5
_SOURCE: Final = LogPartition("bench", 0)
_WARM_UP: Final = 3


def hour(servers: Sequence[Server]) -> Case:
    """The last hour of a day, of 64 partitions."""
    return _case("read of an hour, 64 partitions", servers, _read_hour)


def month(servers: Sequence[Server]) -> Case:
    """All hours of 31 days, of 8 partitions."""
    return _case("read of 31 days, 8 partitions", servers, _read_month)


def users(servers: Sequence[Server], number: int) -> Case:
    """What a worker loads to count on in a window with so many users, who came in 100 flushes."""
    return _case(f"load of a window of {number:,} users", servers, partial(_load_users, number))


def _case(name: str, servers: Sequence[Server], read: Callable[[Server, Store], Awaitable[Figures]]) -> Case:
    return Case(name, [Contender(server.name, partial(_on_empty_store, server, read)) for server in servers])


def _on_empty_store(server: Server, read: Callable[[Server, Store], Awaitable[Figures]]) -> Figures:
    async def run() -> Figures:
        async with server.emptied() as store:
            return await read(server, store)

    return asyncio.run(run())


async def _read_hour(server: Server, store: Store) -> Figures:
    hours = hours_before(this_hour(), _DAY)
    return await _read(server, store, hours, _MANY_PARTITIONS, [hours[-1]], _HOURS_READ)


async def _read_month(server: Server, store: Store) -> Figures:
    hours = hours_before(this_hour(), _MONTH)
    return await _read(server, store, hours, _FEW_PARTITIONS, hours, _MONTHS_READ)


async def _read(
    server: Server, store: Store, hours: range, partitions: int, asked: Sequence[int], times: int
) -> Figures:
    numbers = await fill_hours(store, hours, partitions)
    expected = {hour: numbers[hour] for hour in asked}

    async def once() -> None:
        found = await read_committed_hours(store, asked)
        require({hour: numbers_in(committed) for hour, committed in found.items()}, expected, "hours")

    return await _timed(server, (once() for _ in range(_WARM_UP)), (once() for _ in range(times)))


async def _load_users(number: int, server: Server, store: Store) -> Figures:
    hour = this_hour()
    await _fill_window(store, hour, number)
    progress, past = Progress(_FLUSHES - 1, watermark=hour), KafkaPastRecords(KafkaSettings(), "")

    async def once() -> None:
        state = PartitionState(_SOURCE, progress, draw_slot, past)
        await state.load([hour], store)
        require(state.table.hashes, number, "users in memory")

    return await _timed(server, [once()], (once() for _ in range(_LOADS)))


async def _fill_window(store: Store, hour: int, number: int) -> None:
    """A window's users as a worker stores them: some with each flush."""
    everybody = np.random.default_rng(13).permutation(number).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for through, some in enumerate(np.array_split(everybody, _FLUSHES)):
        await store.write_windows(
            [], [SegmentPoint(_SOURCE, hour, one) for one in cut_segments(through, np.sort(some), [])]
        )
    value = WindowValue(_FLUSHES - 1, {"click": number}, 0, number, 1, 1)
    await store.write_windows([WindowPoint(_SOURCE, hour, _SLOT, value)], [])
    await store.write_progress([ProgressPoint(_SOURCE, _SLOT, Progress(_FLUSHES - 1, watermark=hour))])


async def _timed(server: Server, warm_up: Iterable[Awaitable[None]], operations: Iterable[Awaitable[None]]) -> Figures:
    for one in warm_up:
        await one
    clocked = Clocked(server)
    for one in operations:
        async with clocked.operation():
            await one
    return clocked.figures("read")
