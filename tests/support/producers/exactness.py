"""Whether what a producer writes is counted exactly, also when each action comes again by HTTP."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import actions, send

Action = dict[str, Any]
Produce = Callable[[Sequence[Action]], None]

ACTIONS = 2_000
"""More than a hundred for each of eight partitions."""
HARD_USERS = ("Zoë 🦊", 'quo"te \\ back', "a b,c;d=e&f%20", "$HOME `id`", "'", "Ünïcödé" * 30)
"""Each needs care of somebody between JSON and a key."""


def some_actions() -> list[Action]:
    """Actions over five hours, the latest now, each with an id."""
    now = time.time_ns() // 1_000_000
    made = actions(11, ACTIONS, now=now, hours=4, users=150, with_ids=True)
    for number, action in enumerate(made[::10]):
        action["user"] = HARD_USERS[number % len(HARD_USERS)]
    return made


async def until_counted(pipeline: Pipeline, http: httpx.AsyncClient, expected: Sequence[Action]) -> None:
    """Fails unless every hour's answer is what these actions come to."""
    await until_caught_up(http, pipeline.aggregator_url)
    assert await differences(http, pipeline.aggregator_url, count(expected)) == {}


async def is_exact(pipeline: Pipeline, http: httpx.AsyncClient, produce: Produce) -> None:
    """Fails unless what `produce` writes counts once, before and after each action came again by HTTP."""
    pipeline.start_worker()
    pipeline.wait_until_ready()
    made = some_actions()

    produce(made)
    await until_counted(pipeline, http, made)

    await send(http, pipeline.ingest_url, made)
    await until_counted(pipeline, http, made)
