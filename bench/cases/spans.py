"""The aggregator: many hours at once, users of a span, and many who listen."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Final, NamedTuple

import httpx
import psutil  # type: ignore[import-untyped] # it has no types

from bench.case import Case, Contender, Figures, WrongResult, require
from bench.cases.reads import Pipeline, cpu_of, fed, latencies_of, on_pipeline
from bench.load.generator import Load, request
from bench.load.past import fill_hours, fill_users, hours_before
from bench.load.stored import opened
from bench.load.traffic import HOUR_MS, Numbers
from bench.running.services import Services

_MONTH: Final = 31 * 24
_RATE: Final = 2.0
_SECONDS: Final = 10.0
_LISTENERS: Final = 1_000
_USERS_AN_HOUR: Final = 1_000_000
_DAY: Final = 24
_MB: Final = 1e6
_LOOK_SECONDS: Final = 0.02
_AN_HOUR: Final = 3_600.0


def month(services: Services) -> Case:
    """GET /v1/hours of 31 days, twice a second, 50,000 actions/s coming in; all hours have actions."""
    return Case("31 days by /v1/hours", [Contender("ours", partial(on_pipeline, services, _read_month))])


def listeners(services: Services) -> Case:
    """1,000 listeners of /v1/live on one process, 50,000 actions/s coming in."""
    return Case("1,000 listeners of /v1/live", [Contender("ours", partial(on_pipeline, services, _listen))])


def users_of_a_day(services: Services) -> Case:
    """GET /v1/totals of a day with 1,000,000 users an hour; then of two other spans at the same time."""
    return Case(
        "/v1/totals of a day, 1,000,000 users an hour",
        [
            Contender("3 M users over the day", partial(on_pipeline, services, partial(_add_up, 3 * _USERS_AN_HOUR))),
            Contender("24 M users over the day", partial(on_pipeline, services, partial(_add_up, 24 * _USERS_AN_HOUR))),
        ],
        once=True,
    )


class _Memory(NamedTuple):
    """Of the aggregator, MB."""

    before: float
    most: float


async def _watched(pipeline: Pipeline, work: Awaitable[object]) -> _Memory:
    """The memory before, and the most that was seen while the work was done."""
    process = psutil.Process(pipeline.aggregator_pid)
    before = most = process.memory_info().rss / _MB
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait([task], timeout=_LOOK_SECONDS)
        most = max(most, process.memory_info().rss / _MB)
    await task
    return _Memory(before, most)


async def _read_month(pipeline: Pipeline) -> Figures:
    hours = hours_before(pipeline.hour, _MONTH)
    async with opened(pipeline.influx) as store:
        expected = await fill_hours(store, hours)
    target = f"/v1/hours?from={hours.start}&to={hours.stop}"
    load = Load([request("GET", target)], b"200 ", rate=_RATE)
    async with fed(pipeline, _SECONDS + 2):
        await Load([request("GET", target)], b"200 ", rate=_RATE).run(pipeline.aggregator_port, 4, 1)
        cpu_before = cpu_of(pipeline)
        memory = await _watched(pipeline, load.run(pipeline.aggregator_port, 4, _SECONDS))
        cpu = cpu_of(pipeline) - cpu_before
    async with _client(pipeline) as http:
        rows = (await http.get(target)).raise_for_status().json()["hours"]
    require({row["timestamp"]: _numbers(row) for row in rows}, dict(expected), "the month")
    return {
        **latencies_of(load.answers),
        "CPU ms/request": cpu / load.answers.times.total() * 1e3,
        "memory MB": memory.most,
        "memory grown by MB": memory.most - memory.before,
    }


def _client(pipeline: Pipeline) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{pipeline.aggregator_port}", timeout=_AN_HOUR)


def _numbers(row: dict[str, int]) -> Numbers:
    return Numbers(row["unique_users"], row["clicks"], row["impressions"])


async def _listen(pipeline: Pipeline) -> Figures:
    async with fed(pipeline, _SECONDS + 5):
        opened = [await _Listener.opened(pipeline.aggregator_port) for _ in range(_LISTENERS)]
        await asyncio.sleep(2)
        before, events_before = cpu_of(pipeline), [one.events for one in opened]
        began = time.monotonic()
        memory = await _watched(pipeline, asyncio.sleep(_SECONDS))
        seconds = time.monotonic() - began
        cpu = cpu_of(pipeline) - before
        events = [one.events - earlier for one, earlier in zip(opened, events_before, strict=True)]
        for one in opened:
            one.close()
    _require_events(events, seconds)
    return {
        "% of a core": 100 * cpu / seconds,
        "memory MB": memory.most,
        "events/s each": sum(events) / len(events) / seconds,
    }


def _require_events(events: Sequence[int], seconds: float) -> None:
    if min(events) < seconds:
        raise WrongResult(f"a listener was told {min(events)} times in {seconds:.1f} s")


class _Listener(asyncio.Protocol):
    """Counts events."""

    def __init__(self) -> None:
        self.events = 0

    @classmethod
    async def opened(cls, port: int) -> "_Listener":
        _, one = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return one

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(request("GET", "/v1/live"))  # type: ignore[attr-defined] # uvloop's is one by behaviour only

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b"event: hour\n")

    def close(self) -> None:
        self._transport.close()


async def _add_up(population: int, pipeline: Pipeline) -> Figures:
    hours = hours_before(pipeline.hour, _DAY)
    async with opened(pipeline.influx) as store:
        expected = await fill_users(store, hours, _USERS_AN_HOUR, population)
    async with _client(pipeline) as http:

        async def users(first: int) -> int:
            answer = await http.get(f"/v1/totals?from={first}&to={hours.stop}")
            return int(answer.raise_for_status().json()["unique_users"])

        began, cpu_before = time.monotonic(), cpu_of(pipeline)
        alone = asyncio.ensure_future(users(hours.start))
        memory = await _watched(pipeline, alone)
        seconds, cpu = time.monotonic() - began, cpu_of(pipeline) - cpu_before
        require(await alone, expected, "users of the day")
        both = asyncio.gather(users(hours.start + HOUR_MS), users(hours.start + 2 * HOUR_MS))
        together = await _watched(pipeline, both)
    return {
        "s": seconds,
        "CPU s": cpu,
        "memory MB": memory.most,
        "memory, two at once MB": together.most,
    }
