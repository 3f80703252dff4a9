"""Awaiting several things at once."""

import asyncio
from collections.abc import Awaitable, Callable

GatherAll = Callable[..., Awaitable[None]]
"""Runs awaitables, waits for all of them even if one fails, and then raises the first error."""


async def gather_all(*awaitables: Awaitable[None]) -> None:
    """On the event loop; nothing goes on unseen after an error."""
    for outcome in await asyncio.gather(*awaitables, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
