"""Whether the stack's numbers are those that an oracle counts."""

from typing import Any

import httpx

from support.compose.stack import SECONDS, URL
from support.end_to_end.oracle import count, differences, until_caught_up


async def require_exact(http: httpx.AsyncClient, actions: list[dict[str, Any]]) -> None:
    """Of each hour that these actions lie in; there are no others in it."""
    assert actions
    await until_caught_up(http, URL, SECONDS)
    assert await differences(http, URL, count(actions)) == {}
