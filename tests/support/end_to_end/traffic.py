"""Synthetic actions, and clients that send them as producers do."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from support.end_to_end.oracle import HOUR_MS

BATCH = 1_000


def actions(
    seed: int, number: int, *, now: int, hours: int, users: int, with_ids: bool = False
) -> list[dict[str, Any]]:
    """95 % of them in the current hour, up to now; the rest anywhere in the `hours` before. Ids are unique."""
    rng = random.Random(seed)
    current = now // HOUR_MS * HOUR_MS
    made = []
    for index in range(number):
        late = rng.random() < 0.05
        timestamp = current - rng.randrange(1, hours * HOUR_MS) if late else rng.randint(current, now)
        action = {
            "timestamp": timestamp,
            "user": f"user-{rng.randrange(users)}",
            "event": rng.choice(["click", "impression"]),
        }
        made.append({**action, "id": f"{seed}-{index}"} if with_ids else action)
    return made


def batches(made: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    for start in range(0, len(made), BATCH):
        yield "\n".join(map(json.dumps, made[start : start + BATCH])).encode()


async def send(http: httpx.AsyncClient, url: str, made: Sequence[dict[str, Any]], *, concurrency: int = 4) -> None:
    """Posts all in batches; each must be accepted whole."""
    limit = asyncio.Semaphore(concurrency)

    async def post(body: bytes) -> None:
        async with limit:
            response = await http.post(
                f"{url}/v1/actions", content=body, headers={"content-type": "application/x-ndjson"}
            )
            assert response.status_code == 200, response.text
            assert response.json() == {"accepted": body.count(b"\n") + 1, "rejected": []}

    await asyncio.gather(*map(post, batches(made)))


async def send_singles(
    http: httpx.AsyncClient, url: str, made: Sequence[dict[str, Any]], *, concurrency: int = 32
) -> list[httpx.Response]:
    """Posts each action by itself."""
    limit = asyncio.Semaphore(concurrency)

    async def post(action: dict[str, Any]) -> httpx.Response:
        async with limit:
            return await http.post(f"{url}/analytics", params=action)

    return await asyncio.gather(*map(post, made))
