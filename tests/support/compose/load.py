"""Clients that send and read through the gateway while something happens behind it."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from support.compose.stack import URL
from support.end_to_end.oracle import HOUR_MS

Actions = list[dict[str, Any]]

_SENDERS: Final = 16
_BATCH: Final = 20
_SINGLES: Final = 20
"""For each batch."""
_PAUSE: Final = 0.02
_PAUSE_AFTER_FAILURE: Final = 0.25


@dataclass(slots=True)
class Load:
    """What became of it."""

    acknowledged: Actions = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Requests that were answered 503, or not at all."""
    requests: int = 0
    seconds: float = 0.0


@asynccontextmanager
async def running(
    http: httpx.AsyncClient, make: Callable[[], Iterator[dict[str, Any]]], *, insists: bool = False
) -> AsyncIterator[Load]:
    """Sends for as long as the block runs; then each client ends what it began.

    Where it `insists`, what fails is sent again until it is acknowledged: the actions need ids.
    """
    load, over, began = Load(), asyncio.Event(), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_SENDERS):
            tasks.create_task(_send_on(http, make(), load, over, insists=insists))
        tasks.create_task(_read_on(http, load, over))
        try:
            yield load
        finally:
            over.set()
    load.seconds = time.monotonic() - began


def actions_of(hour: int, name: str, *, ids: bool) -> Callable[[], Iterator[dict[str, Any]]]:
    """Makes endless actions of one hour (ms since the epoch), by 300 users; each client's are its own."""
    seeds = itertools.count()

    def make() -> Iterator[dict[str, Any]]:
        seed = next(seeds)
        draw = random.Random(seed)
        for number in itertools.count():
            action = {
                "timestamp": hour + draw.randrange(HOUR_MS),
                "user": f"{name}-{draw.randrange(300)}",
                "event": draw.choice(["click", "impression"]),
            }
            yield {**action, "id": f"{seed}-{number}"} if ids else action

    return make


async def _send_on(
    http: httpx.AsyncClient, actions: Iterator[dict[str, Any]], load: Load, over: asyncio.Event, *, insists: bool
) -> None:
    for size in itertools.cycle([1] * _SINGLES + [_BATCH]):
        if over.is_set():
            return
        sent = list(itertools.islice(actions, size))
        while not (succeeds := await _succeeds(load, _post(http, sent))) and insists:
            pass
        if succeeds:
            load.acknowledged += sent


async def _read_on(http: httpx.AsyncClient, load: Load, over: asyncio.Event) -> None:
    while not over.is_set():
        await _succeeds(load, http.get(f"{URL}/v1/hours/2026-01-01T00", headers={"Cache-Control": "no-cache"}))


async def _succeeds(load: Load, request: Awaitable[httpx.Response]) -> bool:
    load.requests += 1
    failure = await _failure_of(request)
    if failure is not None:
        load.failed.append(f"{time.strftime('%H:%M:%S')} {failure}")
    # A rate, not a condition.
    await asyncio.sleep(_PAUSE if failure is None else _PAUSE_AFTER_FAILURE)
    return failure is None


async def _failure_of(request: Awaitable[httpx.Response]) -> str | None:
    try:
        answer = await request
    except httpx.TransportError as error:
        return repr(error)
    if answer.is_success:
        return None
    told = f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}"
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, told
    return told


async def _post(http: httpx.AsyncClient, actions: Actions) -> httpx.Response:
    if len(actions) == 1:
        return await http.post(f"{URL}/analytics", params=actions[0])
    body = "\n".join(map(json.dumps, actions))
    return await http.post(f"{URL}/v1/actions", content=body, headers={"content-type": "application/x-ndjson"})
