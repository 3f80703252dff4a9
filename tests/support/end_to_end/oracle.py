"""Counts actions independently of the product, and compares every hour."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

HOUR_MS = 3_600_000


@dataclass
class Expected:
    clicks: int = 0
    impressions: int = 0
    users: set[str] = field(default_factory=set)
    ids: set[tuple[str, str]] = field(default_factory=set)

    def text(self) -> str:
        return f"unique_users,{len(self.users)}\nclicks,{self.clicks}\nimpressions,{self.impressions}\n"


def count(actions: Iterable[dict[str, Any]]) -> dict[int, Expected]:
    """By hour, ms since the epoch. An action with an id counts once per user and hour."""
    hours: dict[int, Expected] = defaultdict(Expected)
    for action in actions:
        hour = hours[action["timestamp"] // HOUR_MS * HOUR_MS]
        if "id" in action:
            if (action["user"], action["id"]) in hour.ids:
                continue
            hour.ids.add((action["user"], action["id"]))
        hour.users.add(action["user"])
        if action["event"] == "click":
            hour.clicks += 1
        else:
            hour.impressions += 1
    return dict(hours)


async def differences(http: httpx.AsyncClient, url: str, expected: dict[int, Expected]) -> dict[int, tuple[str, str]]:
    """The hours whose answer differs: (expected, answered)."""
    limit = asyncio.Semaphore(16)

    async def answer(hour: int) -> str:
        async with limit:
            no_cache = {"Cache-Control": "no-cache"}
            response = await http.get(f"{url}/analytics", params={"timestamp": hour + 1}, headers=no_cache)
            response.raise_for_status()
            return response.text

    answers = await asyncio.gather(*map(answer, expected))
    pairs = {hour: (expected[hour].text(), found) for hour, found in zip(expected, answers, strict=True)}
    return {hour: pair for hour, pair in pairs.items() if pair[0] != pair[1]}


async def until_caught_up(http: httpx.AsyncClient, url: str, seconds: float = 120) -> None:
    """Returns once an answer covers all that was acknowledged before the call; its lag may be that of a second ago."""
    called, answer = datetime.now(UTC), ""
    try:
        async with asyncio.timeout(seconds):
            while not _covers(answer, called):
                answer = (await http.get(f"{url}/v1/hours/2026-01-01T00")).text
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not complete through {called} within {seconds:.0f} s; last answer: {answer}") from None


def _covers(answer: str, instant: datetime) -> bool:
    complete = json.loads(answer).get("complete_through") if answer else None
    return complete is not None and datetime.fromisoformat(complete) > instant
