"""How workers end, and what their end costs: time, never a number."""

import signal
import threading

import pytest

from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import committed_offsets, members
from support.services.tcp_gate import TcpGate

BUFFERING = {"worker_buffered_records": "5000", "worker_drain_timeout": "PT50S"}


def committed(pipeline: Pipeline) -> dict[int, int]:
    return committed_offsets(pipeline.bootstrap, pipeline.group, pipeline.topic, PARTITIONS)


async def test_what_was_received_at_sigterm_is_stored_and_committed_before_the_exit(
    pipeline: Pipeline, gate: TcpGate
) -> None:
    """The store hangs, so that all that was sent waits in the worker's mailbox."""
    worker = pipeline.started(influx_url=gate.url, influx_timeout="PT2S", **BUFFERING)
    gate.stall()
    pipeline.send(Traffic().actions(500), lines=1)
    await eventually(lambda: worker.metric("retries_total", attempt="load windows") > 0)

    worker.terminate()
    await eventually(lambda: "draining" in worker.logged())
    assert worker.metric("drain_seconds") > 0
    assert worker.metric("lag_records") == 500
    gate.open()

    assert worker.wait_for_end() == 0, worker.log_tail()
    assert await pipeline.through() == pipeline.ends
    assert committed(pipeline) == {partition: end + 1 for partition, end in pipeline.ends.items()}
    await pipeline.is_exact()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_worker_in_mid_stream_with_0_and_the_next_one_goes_on(
    pipeline: Pipeline, number: signal.Signals
) -> None:
    traffic = Traffic()
    worker = pipeline.started()
    pipeline.send(traffic.actions(3_000), lines=5)
    worker.running.send(number)
    worker.running.send(number)
    assert worker.wait_for_end() == 0, worker.log_tail()
    stored = await pipeline.through()
    assert committed(pipeline).items() >= {partition: end + 1 for partition, end in stored.items()}.items()

    pipeline.started()

    await pipeline.counted()
    await pipeline.is_exact()


async def test_records_that_keep_coming_do_not_keep_a_worker_from_ending(pipeline: Pipeline) -> None:
    traffic, ended = Traffic(), threading.Event()
    worker = pipeline.started(worker_drain_timeout="PT50S")

    def send() -> None:
        while not ended.is_set():
            pipeline.send(traffic.actions(50), lines=1)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        await eventually(lambda: worker.metric("records_total") > 100)
        worker.terminate()
        assert worker.wait_for_end() == 0, worker.log_tail()
    finally:
        ended.set()
        sending.join()
    pipeline.started()
    await pipeline.counted()
    await pipeline.is_exact()


async def test_a_worker_that_ends_has_left_the_group(pipeline: Pipeline) -> None:
    """Others need not wait for its session to time out."""
    worker = pipeline.started()
    assert members(pipeline.admin, pipeline.group) == 1
    assert worker.stop() == 0
    assert members(pipeline.admin, pipeline.group) == 0


async def test_a_killed_worker_costs_no_number(pipeline: Pipeline) -> None:
    traffic = Traffic()
    for _ in range(2):
        worker = pipeline.replacement()
        before = await pipeline.through()
        pipeline.send(traffic.actions(4_000), lines=3)
        await pipeline.moved(before)
        worker.kill()
    pipeline.replacement()
    await pipeline.counted()
    await pipeline.is_exact()


async def test_a_second_worker_takes_its_share_and_over_all_when_the_first_is_killed(pipeline: Pipeline) -> None:
    traffic = Traffic()
    first = pipeline.started()
    pipeline.send(traffic.actions(2_000), lines=3)
    second = pipeline.started()
    pipeline.send(traffic.actions(2_000), lines=3)

    def shared() -> bool:
        owned = [first.owned(), second.owned()]
        return [len(one) for one in owned] == [2, 2] and sorted(owned[0] + owned[1]) == list(range(PARTITIONS))

    await eventually(shared)

    pipeline.send(traffic.actions(2_000), lines=3)
    first.kill()
    pipeline.send(traffic.actions(2_000), lines=3)

    await eventually(lambda: second.owned() == list(range(PARTITIONS)))
    await pipeline.counted()
    await pipeline.is_exact()
