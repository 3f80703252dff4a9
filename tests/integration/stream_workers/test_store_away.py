"""A store that is down, or hangs, or refuses: workers wait, say so, and count on when it is back."""

import re

from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.product.worker_process import WorkerProcess
from support.services.tcp_gate import TcpGate

BELOW_THE_DEFAULT = 18.0
"""Seconds: who does not keep the bound that a test sets stops 20 s after it was told to."""


def is_retrying(worker: WorkerProcess) -> bool:
    """Whether /readyz names what is tried again and again."""
    return bool(re.search(r"(read progress|load windows|store \w+): \S+", worker.why_not_ready()))


async def test_an_outage_shows_in_readyz_and_in_a_metric_and_costs_no_number(pipeline: Pipeline, gate: TcpGate) -> None:
    traffic = Traffic()
    worker = pipeline.started(influx_url=gate.url)
    pipeline.send(traffic.actions(1_000))
    await pipeline.counted()

    gate.close()
    pipeline.send(traffic.actions(1_000))
    await eventually(lambda: is_retrying(worker))
    answer = worker.get("/readyz")
    assert answer is not None
    assert answer.status_code == 503
    await eventually(lambda: worker.metric("retries_total") >= 2)
    alive = worker.get("/healthz")
    assert alive is not None
    assert alive.status_code == 200

    gate.open()
    await eventually(worker.is_ready)
    await pipeline.counted()
    await pipeline.is_exact()


async def test_a_store_that_hangs_and_does_writes_late_costs_no_number(pipeline: Pipeline, gate: TcpGate) -> None:
    """What a worker gave up on arrives after the worker has tried again: a hanging server, not a dead one."""
    traffic = Traffic()
    worker = pipeline.started(influx_url=gate.url, influx_timeout="PT1S")
    for _ in range(3):
        pipeline.send(traffic.actions(1_000), lines=10)
        tried = worker.metric("retries_total")
        gate.stall()
        pipeline.send(traffic.actions(1_000), lines=10)
        await eventually(lambda tried=tried: worker.metric("retries_total") > tried + 1)  # type: ignore[misc] # a lambda's default
        gate.open()
    await pipeline.counted()
    await pipeline.is_exact()
    assert worker.running.is_alive()


async def test_sigterm_during_an_outage_ends_with_75_within_the_bound_and_the_next_worker_catches_up(
    pipeline: Pipeline, gate: TcpGate
) -> None:
    traffic = Traffic()
    worker = pipeline.started(influx_url=gate.url, worker_drain_timeout="PT3S")
    pipeline.send(traffic.actions(1_000))
    await pipeline.counted()
    gate.close()
    pipeline.send(traffic.actions(1_000))
    await eventually(lambda: is_retrying(worker))

    worker.terminate()

    assert worker.wait_for_end(BELOW_THE_DEFAULT) == 75
    pipeline.started()
    await pipeline.counted()
    await pipeline.is_exact()


async def test_a_worker_that_starts_during_an_outage_waits_and_then_counts(pipeline: Pipeline, gate: TcpGate) -> None:
    pipeline.send(Traffic().actions(1_000))
    gate.close()
    worker = pipeline.worker(influx_url=gate.url)
    worker.start()
    await eventually(lambda: is_retrying(worker))
    # Faust gives a seek so long, and no longer.
    await eventually(lambda: "nothing is read until it does" in worker.logged())
    assert not worker.is_ready()

    gate.open()

    await eventually(worker.is_ready)
    await pipeline.counted()
    await pipeline.is_exact()


async def test_workers_that_come_and_share_during_an_outage_all_count_once_it_is_over(
    pipeline: Pipeline, gate: TcpGate
) -> None:
    """The second one's arrival takes partitions from the first while that one waits for the store."""
    pipeline.send(Traffic().actions(1_000), lines=10)
    gate.close()
    first, second = pipeline.worker(influx_url=gate.url), pipeline.worker(influx_url=gate.url)
    first.start()
    await eventually(lambda: is_retrying(first))
    second.start()
    await eventually(lambda: is_retrying(second))

    gate.open()

    await eventually(lambda: sorted([*first.owned(), *second.owned()]) == list(range(PARTITIONS)))
    await pipeline.counted()
    await pipeline.is_exact()


async def test_sigterm_before_the_store_ever_answered_ends_a_worker_within_the_bound(
    pipeline: Pipeline, gate: TcpGate
) -> None:
    gate.close()
    worker = pipeline.worker(influx_url=gate.url, worker_drain_timeout="PT5S")
    worker.start()
    await eventually(lambda: is_retrying(worker))

    worker.terminate()

    assert worker.wait_for_end(BELOW_THE_DEFAULT) in (0, 75)


async def test_a_rebalance_during_an_outage_is_bounded_and_costs_no_number(pipeline: Pipeline, gate: TcpGate) -> None:
    """Writes are under way while their partitions are given to another worker."""
    traffic = Traffic()
    settings = {"influx_url": gate.url, "influx_timeout": "PT3S", "worker_release_timeout": "PT1S"}
    first = pipeline.started(**settings)
    pipeline.send(traffic.actions(1_000), lines=10)
    await pipeline.counted()
    gate.stall()
    pipeline.send(traffic.actions(1_000), lines=10)
    second = pipeline.worker(**settings)
    second.start()
    await eventually(lambda: "released partitions before their flush was done" in first.logged())

    gate.open()

    await eventually(lambda: first.is_ready() and second.is_ready())
    pipeline.send(traffic.actions(1_000), lines=10)
    await pipeline.counted()
    await pipeline.is_exact()
