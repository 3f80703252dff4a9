"""Waiting for a condition, and for no longer than a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN = 60.0


async def eventually(condition: Callable[[], T], within: float = WITHIN) -> T:
    """What `condition` gives once that is true; fails after `within` seconds."""

    async def look() -> T:
        return condition()

    return await eventually_stored(look, within, lambda: "")


async def eventually_stored(look: Callable[[], Awaitable[T]], within: float, evidence: Callable[[], str]) -> T:
    """Likewise, for what takes time to look at; a failure shows `evidence`."""
    deadline = time.monotonic() + within
    while not (found := await look()):
        assert time.monotonic() < deadline, f"not so after {within} s: {found!r} {evidence()}"
        await asyncio.sleep(0.05)
    return found
