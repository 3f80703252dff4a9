"""What a worker says of itself."""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic

METRICS = {
    "collector_worker_lines",
    "collector_worker_records",
    "collector_worker_lost_records",
    "collector_worker_flush_seconds",
    "collector_worker_retries",
    "collector_worker_partitions",
    "collector_worker_windows",
    "collector_worker_hashes",
    "collector_worker_evicted_windows",
    "collector_worker_commit_failures",
}


async def test_a_worker_says_that_it_is_alive_ready_and_what_it_did(pipeline: Pipeline) -> None:
    worker = pipeline.started()
    pipeline.send(Traffic().actions(1_000), lines=10)
    # The store has it before the worker has noted that.
    await eventually(lambda: worker.metric("lines_total") == 1_000)

    alive, ready, metrics = worker.get("/healthz"), worker.get("/readyz"), worker.get("/metrics")

    assert alive is not None
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert ready is not None
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "reason": None, "partitions": list(range(PARTITIONS))},
    )
    assert metrics is not None
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    families = {family.name for family in text_string_to_metric_families(metrics.text)}
    assert families >= METRICS
    assert worker.metric("records_total") == sum(end + 1 for end in pipeline.ends.values())
    assert worker.metric("partitions") == PARTITIONS
    assert worker.metric("windows") > 0
    assert worker.metric("flush_seconds_count") > 0


async def test_more_workers_than_partitions_are_all_ready(pipeline: Pipeline, create_topic: Callable[..., str]) -> None:
    topic = create_topic(1)
    workers = [pipeline.worker(topic=topic) for _ in range(2)]
    for worker in workers:
        worker.start()

    def shares() -> list[int]:
        return sorted(len(worker.owned()) if worker.is_ready() else -1 for worker in workers)

    await eventually(lambda: shares() == [0, 1])
