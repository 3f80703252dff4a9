"""Flushes: small ones, as every half second brings them, and the largest, with raw actions in each form."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from typing import Final

from bench.case import Case, Contender, Figures, require
from bench.load.stored import numbers_in, raw_actions_in
from bench.storing.clocked import Clocked
from bench.storing.folding import Shape, Worker
from bench.storing.servers import InfluxServer, Server
from contract.store import Store
from contract.windows.hashes import unpack_hashes
from stores.committed import read_committed, read_committed_segments
from stores.raw.settings import RawStorage

_WARM_UP: Final = 20
_LINES: Final = 100
_LARGEST: Final = Shape(8, 9_500, 500)
"""About as many lines as begin a flush at once."""
_LARGEST_FLUSHES: Final = 6
_LOOK_SECONDS: Final = 0.001


def small(servers: Sequence[Server], flushes: int, partitions: int, new_users: int) -> Case:
    """Flushes of 100 lines a partition, without raw actions."""
    shape = Shape(partitions, _LINES, new_users)
    return Case(
        f"flush of {partitions} partitions, {new_users} new users each",
        [Contender(server.name, partial(_run, server, shape, flushes)) for server in servers],
    )


def largest(servers: Sequence[Server]) -> Case:
    """Flushes of 76,000 lines in 8 partitions, with raw actions in each form that a store takes."""
    return Case(
        f"flush of {_LARGEST.partitions * _LARGEST.lines:,} actions",
        [
            Contender(f"{server.name}, raw actions {raw}", partial(_run_raw, server, raw))
            for server in servers
            for raw in RawStorage
            if raw is not RawStorage.POINTS or isinstance(server, InfluxServer)
        ],
    )


def warm_up(servers: Sequence[Server], flushes: int) -> None:
    """Java compiles what it has run often: before, a node takes several times the CPU for the same flush."""
    for server in servers:
        _run(server, Shape(64, _LINES, _LINES), flushes)


def _run(server: Server, shape: Shape, flushes: int) -> Figures:
    return asyncio.run(_flush(server, shape, flushes))


async def _flush(server: Server, shape: Shape, flushes: int) -> Figures:
    async with server.emptied() as store:
        worker = Worker(store, shape)
        await worker.begin()
        for _ in range(_WARM_UP):
            await worker.flush(await worker.fold())
        clocked = Clocked(server)
        for _ in range(flushes):
            parts = await worker.fold()
            async with clocked.operation():
                await worker.flush(parts)
        figures = clocked.figures("flush")
        await _check(store, worker)
        return figures


def _run_raw(server: Server, raw: RawStorage) -> Figures:
    return asyncio.run(_flush_raw(server, raw))


async def _flush_raw(server: Server, raw: RawStorage) -> Figures:
    held: list[float] = []
    async with server.emptied(raw) as store:
        worker = Worker(store, _LARGEST)
        await worker.begin()
        clocked = Clocked(server)
        for _ in range(_LARGEST_FLUSHES):
            parts = await worker.fold()
            async with clocked.operation(), _watched(held):
                await worker.flush(parts)
        figures = clocked.figures("flush")
        await _check(store, worker)
        require(await raw_actions_in(store, [worker.hour]), 0 if raw is RawStorage.OFF else worker.lines, "raw actions")
    actions = _LARGEST.partitions * _LARGEST.lines
    return {**figures, "actions/s": actions / median(clocked.seconds), "loop held ms": median(held) * 1e3}


async def _check(store: Store, worker: Worker) -> None:
    """The hour is as what was folded makes it, and its users are there."""
    committed = await read_committed(store, worker.hour)
    require(numbers_in(committed), worker.expected, "the hour")
    hashes = 0
    for source, (_, window) in committed.items():
        segments = await read_committed_segments(store, worker.hour, source, window)
        hashes += sum(len(unpack_hashes(segment.users)) for segment in segments)
    require(hashes, worker.expected.unique_users, "stored users")


@asynccontextmanager
async def _watched(held: list[float]) -> AsyncIterator[None]:
    """Appends for how long, at most, nothing else could run on the event loop."""
    longest = 0.0

    async def look() -> None:
        nonlocal longest
        while True:
            asleep = time.perf_counter()
            await asyncio.sleep(_LOOK_SECONDS)
            longest = max(longest, time.perf_counter() - asleep - _LOOK_SECONDS)

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        await asyncio.sleep(0)
        looking.cancel()
        held.append(longest)
