"""A store that loses all its data, and is restored from a backup, as docs/operations.md says: every number is right."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.hour import format_hour
from stores.settings import StoreKind
from support.end_to_end.oracle import HOUR_MS, count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.restorable import RestorableStore, restorable
from support.end_to_end.traffic import actions, send
from support.pipeline.collector_program import Auditor, collector
from support.services.addresses import Missing

ACTIONS = 20_000
HOURS = 47


@pytest.fixture(params=[StoreKind.INFLUX, StoreKind.CASSANDRA])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RestorableStore]:
    """Where it cannot be had, tests are skipped on a laptop and fail in CI."""
    try:
        with restorable(request.param, tmp_path / "store") as one:
            yield one
    except Missing as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no store: {missing}")


@pytest.fixture
def pipeline(
    store: RestorableStore, tmp_path: Path, kafka_bootstrap: str, create_topic: Callable[..., str]
) -> Iterator[Pipeline]:
    pipeline = Pipeline(tmp_path, kafka_bootstrap, create_topic(8), create_topic(1), store.settings)
    try:
        yield pipeline
    finally:
        pipeline.close()


async def lag(http: httpx.AsyncClient, pipeline: Pipeline) -> int:
    """Records that are not counted, once the aggregator can tell."""
    found = None
    async with asyncio.timeout(60):
        while found is None:
            answer = await http.get(
                f"{pipeline.aggregator_url}/v1/hours/2026-01-01T00", headers={"Cache-Control": "no-cache"}
            )
            found = answer.json().get("lag")
    return int(found)


async def requires_equal(http: httpx.AsyncClient, pipeline: Pipeline, made: list[dict[str, Any]]) -> None:
    """Each hour is as the oracle and the audit count it."""
    await until_caught_up(http, pipeline.aggregator_url)
    assert await differences(http, pipeline.aggregator_url, count(made)) == {}
    code, verdict = await asyncio.to_thread(Auditor(pipeline.environment, pipeline.aggregator_url))
    assert (code, verdict["outcome"], verdict["not_judged"]) == (0, "equal", [])


async def test_workers_that_start_after_a_restore_count_again_what_came_since_the_backup(
    store: RestorableStore, pipeline: Pipeline, http: httpx.AsyncClient, now: int
) -> None:
    worker = pipeline.start_worker()
    await asyncio.to_thread(pipeline.wait_until_ready)
    made = actions(91, 3 * ACTIONS, now=now, hours=HOURS, users=2_000, with_ids=True)
    await send(http, pipeline.ingest_url, made[:ACTIONS])

    sending = asyncio.create_task(send(http, pipeline.ingest_url, made[ACTIONS : 2 * ACTIONS]))
    assert await asyncio.to_thread(worker.stop) == 0
    await asyncio.to_thread(store.back_up)
    worker = pipeline.start_worker()
    await sending
    await until_caught_up(http, pipeline.aggregator_url)
    # The log keeps its records, the restored store has not heard of it.
    assert await asyncio.to_thread(rebuild, pipeline, now - HOURS * HOUR_MS, now) == 0

    sending = asyncio.create_task(send(http, pipeline.ingest_url, made[2 * ACTIONS :]))
    await asyncio.to_thread(store.lose)
    await asyncio.to_thread(worker.kill)
    await asyncio.to_thread(store.restore)
    await sending
    assert await lag(http, pipeline) > 0
    pipeline.start_worker()

    await requires_equal(http, pipeline, made)


async def test_hours_that_running_workers_did_not_count_on_are_right_after_a_rebuild(
    store: RestorableStore, pipeline: Pipeline, http: httpx.AsyncClient, now: int
) -> None:
    worker = pipeline.start_worker()
    await asyncio.to_thread(pipeline.wait_until_ready)
    before, since, after = (
        actions(seed, ACTIONS, now=now - ago * HOUR_MS, hours=1, users=2_000)
        for seed, ago in ((92, 20), (93, 10), (94, 0))
    )
    await send(http, pipeline.ingest_url, before)
    await until_caught_up(http, pipeline.aggregator_url)
    assert await asyncio.to_thread(worker.stop) == 0
    await asyncio.to_thread(store.back_up)
    pipeline.start_worker()
    await send(http, pipeline.ingest_url, since)
    await until_caught_up(http, pipeline.aggregator_url)

    await asyncio.to_thread(store.lose)
    await asyncio.to_thread(store.restore)
    await send(http, pipeline.ingest_url, after)
    await until_caught_up(http, pipeline.aggregator_url)
    wrong = await differences(http, pipeline.aggregator_url, count(since))
    assert wrong
    assert await asyncio.to_thread(rebuild, pipeline, min(wrong), max(wrong)) == 0

    await requires_equal(http, pipeline, [*before, *since, *after])


def rebuild(pipeline: Pipeline, first: int, last: int) -> int:
    """The exit code."""
    hours = ("--from", format_hour(first), "--to", format_hour(last))
    return collector(pipeline.environment, "rebuild", *hours).returncode
