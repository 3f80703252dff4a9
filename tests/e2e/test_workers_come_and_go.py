"""Workers that stop or die mid-stream change no number."""

import asyncio
import signal

import httpx

from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import actions, send


async def test_a_stopped_and_a_killed_worker_change_no_number(
    pipeline_on_any_store: Pipeline, http: httpx.AsyncClient, now: int
) -> None:
    pipeline = pipeline_on_any_store
    stopped, killed = pipeline.start_worker(), pipeline.start_worker()
    pipeline.wait_until_ready()
    made = actions(4, 150_000, now=now, hours=47, users=10_000)
    third = len(made) // 3

    await send(http, pipeline.ingest_url, made[:third])
    sending = asyncio.create_task(send(http, pipeline.ingest_url, made[third : 2 * third]))
    assert stopped.process is not None
    stopped.process.send(signal.SIGTERM)
    killed.kill()
    await sending
    assert await asyncio.to_thread(stopped.stop) == 0

    sending = asyncio.create_task(send(http, pipeline.ingest_url, made[2 * third :]))
    for _ in range(2):
        pipeline.start_worker()
    await sending
    await until_caught_up(http, pipeline.aggregator_url)

    assert await differences(http, pipeline.aggregator_url, count(made)) == {}
