"""Waiting for a condition, and for no longer than a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN = 60.0


async def eventually(condition: Callable[[], T], within: float = WITHIN) -> T:
    """The result of `condition` once it is true; fails after `within` seconds."""

    async def probe() -> T:
        return condition()

    return await eventually_stored(probe, within, lambda: "")


async def eventually_stored(probe: Callable[[], Awaitable[T]], within: float, evidence: Callable[[], str]) -> T:
    """The same for an asynchronous `probe`; a failure shows `evidence`."""
    deadline = time.monotonic() + within
    while not (found := await probe()):
        assert time.monotonic() < deadline, f"not so after {within} s: {found!r} {evidence()}"
        await asyncio.sleep(0.05)
    return found
