"""A store that answers, and says no."""

import httpx

from contract.log.action import Action
from support.pipeline.eventually import eventually
from support.pipeline.pipeline import Pipeline


async def test_a_missing_bucket_is_waited_for(pipeline: Pipeline) -> None:
    bucket = pipeline.influx.hourly_bucket.replace("hourly", "later")
    worker = pipeline.worker(hourly_bucket=bucket)
    worker.start()
    await eventually(lambda: bucket.split("/")[0] in worker.why_not_ready())

    query(pipeline, f'CREATE DATABASE "{bucket.split("/")[0]}"')

    await eventually(worker.is_ready)


async def test_a_type_conflict_on_our_own_points_ends_the_worker_with_the_evidence(pipeline: Pipeline) -> None:
    """Retrying can never help: somebody else wrote a number where our text belongs."""
    at = pipeline.this_hour * 1_000_000
    database = pipeline.influx.raw_bucket.split("/")[0]
    write(pipeline, database, f"actions user=5i {at}")
    worker = pipeline.started()
    pipeline.send([Action(pipeline.this_hour, "ada", "click")])
    assert worker.wait_for_end() == 1
    assert "field type conflict" in worker.logged()
    assert "actions,event=click" in worker.logged()
    assert '"ada"' not in worker.logged()
    assert await pipeline.through() == {}


def query(pipeline: Pipeline, text: str) -> None:
    httpx.post(f"{pipeline.influx.influx_url}query", params={"q": text}, timeout=60).raise_for_status()


def write(pipeline: Pipeline, database: str, line: str) -> None:
    url = f"{pipeline.influx.influx_url}write"
    httpx.post(url, params={"db": database}, content=line, timeout=60).raise_for_status()
