"""Workers on Cassandra: it dies, hangs, has no tables yet; workers die. No number changes."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contract.errors import StoreUnavailable
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.setup import create_schema
from support.pipeline.eventually import eventually, eventually_stored
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.cassandra import Node

NODE_AGAIN = 240.0
"""Seconds in which a node that was killed is back, and all is counted, on a busy machine."""


@pytest.fixture
def node(cassandra: CassandraSettings, cassandra_server: Node) -> Iterator[Node]:
    """A node that a test may kill or stop: the next one finds it running again."""
    assert cassandra_server.settings is cassandra
    yield cassandra_server
    process = cassandra_server.service.process
    assert process is not None
    process.send(signal.SIGCONT)
    if not process.is_alive():
        cassandra_server.service.start()
    cassandra_server.service.wait_until_ready()


@pytest.fixture
async def pipeline(
    kafka_bootstrap: str, cassandra: CassandraSettings, create_topic: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Pipeline]:
    one = Pipeline(kafka_bootstrap, cassandra, create_topic(PARTITIONS), create_topic(1), tmp_path)
    yield one
    await one.close()


async def answering(pipeline: Pipeline) -> None:
    """Returns once the test's own connections to the node are there again."""

    async def answers() -> bool:
        with suppress(StoreUnavailable):
            await pipeline.store.ping()
            return True
        return False

    await eventually_stored(answers, NODE_AGAIN, pipeline.logs)


async def test_a_killed_node_keeps_what_it_acknowledged_and_is_counted_on_when_it_is_back(
    pipeline: Pipeline, node: Node
) -> None:
    traffic = Traffic(users=3_000)
    worker = pipeline.started(cassandra_timeout="PT2S")
    pipeline.send(traffic.actions(5_000))
    await pipeline.counted(NODE_AGAIN)
    pipeline.send(traffic.actions(5_000), lines=10)

    node.service.kill()
    pipeline.send(traffic.actions(1_000), lines=10)
    await eventually(lambda: "store" in worker.why_not_ready(), NODE_AGAIN)
    await asyncio.to_thread(node.service.start)
    await asyncio.to_thread(node.service.wait_until_ready)

    await answering(pipeline)
    await pipeline.counted(NODE_AGAIN)
    await pipeline.is_exact()
    assert worker.running.is_alive()


async def test_a_node_that_hangs_and_does_writes_late_costs_no_number(pipeline: Pipeline, node: Node) -> None:
    traffic = Traffic()
    worker = pipeline.started(cassandra_timeout="PT1S")
    assert node.service.process is not None
    for _ in range(2):
        tried = worker.metric("retries_total")
        node.service.process.send(signal.SIGSTOP)
        pipeline.send(traffic.actions(1_000), lines=10)
        await eventually(lambda tried=tried: worker.metric("retries_total") > tried + 1, NODE_AGAIN)  # type: ignore[misc] # a lambda's default
        node.service.process.send(signal.SIGCONT)
        await answering(pipeline)
        await pipeline.counted(NODE_AGAIN)
    await pipeline.is_exact()


async def test_a_worker_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice(
    pipeline: Pipeline,
) -> None:
    traffic = Traffic(users=1_000)
    worker = pipeline.started()
    for _ in range(3):
        before = await pipeline.through()
        pipeline.send(traffic.actions(3_000), lines=10)
        await pipeline.moved(before)
        worker.kill()
        worker = pipeline.replacement()
    await pipeline.counted(NODE_AGAIN)
    await pipeline.is_exact()


async def test_a_worker_that_finds_no_tables_says_what_to_do_and_counts_once_they_are_there(
    pipeline: Pipeline, cassandra: CassandraSettings
) -> None:
    later = cassandra.model_copy(update={"cassandra_keyspace": "created_later"})
    worker = pipeline.worker(cassandra_keyspace=later.cassandra_keyspace)
    worker.start()
    pipeline.send(Traffic().actions(500))
    await eventually(lambda: "deploy.provision" in worker.log_tail(), NODE_AGAIN)

    await create_schema(later)
    await eventually(worker.is_ready, NODE_AGAIN)
