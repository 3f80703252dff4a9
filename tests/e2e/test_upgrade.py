"""Processes of the last release beside those of this one, in one group on one store: rolled out, and back again."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.services.python_service import PythonService
from support.end_to_end.last_release import last_release
from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import actions, send
from support.pipeline.collector_program import Auditor

ACTIONS = 10_000


@pytest.fixture
def old(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a process of the last release."""
    # Raw actions as points: this release has it as the default, and the last one knows no other word for it.
    return {"PYTHONPATH": str(last_release(tmp_path / "last-release")), "COLLECTOR_RAW_STORAGE": "true"}


async def replace(pipeline: Pipeline, service: PythonService, release: Mapping[str, str]) -> PythonService:
    """Another one is ready before it is told to stop, and it drains."""
    assert service.process is not None
    other = pipeline.start("stream_workers", release)
    await asyncio.to_thread(other.wait_until_ready)
    assert await asyncio.to_thread(service.stop) == 0
    return other


async def send_to_both(doors: Sequence[str], made: Sequence[dict[str, Any]]) -> None:
    """On connections of its own: those of the step before may be closed by then."""
    async with httpx.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(send(http, door, made[at::2]) for at, door in enumerate(doors)))


async def test_workers_are_rolled_out_and_back_under_load_and_every_number_is_exact(
    pipeline: Pipeline, http: httpx.AsyncClient, now: int, old: Mapping[str, str]
) -> None:
    old_ingest, old_reader = pipeline.start("ingest_api", old), pipeline.start("aggregator", old)
    workers = [pipeline.start("stream_workers", old) for _ in range(2)]
    await asyncio.to_thread(pipeline.wait_until_ready)
    doors = (f"http://127.0.0.1:{old_ingest.port}", pipeline.ingest_url)
    made = actions(95, 6 * ACTIONS, now=now, hours=47, users=2_000, with_ids=True)

    for step, (index, release) in enumerate(((0, {}), (1, {}), (0, old), (1, old), (1, {}), (0, {}))):
        part = made[step * ACTIONS : (step + 1) * ACTIONS]
        sending = asyncio.create_task(send_to_both(doors, part))
        workers[index] = await replace(pipeline, workers[index], release)
        await sending
    # Those of the last release must know again what this one's counted.
    await send_to_both(doors, made[:ACTIONS])

    for reader in (f"http://127.0.0.1:{old_reader.port}", pipeline.aggregator_url):
        await until_caught_up(http, reader)
        assert await differences(http, reader, count(made)) == {}
    code, verdict = await asyncio.to_thread(Auditor(pipeline.environment, pipeline.aggregator_url))
    assert (code, verdict["outcome"], verdict["not_judged"]) == (0, "equal", [])
