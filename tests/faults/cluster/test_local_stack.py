"""`collector up` with three nodes and three brokers, as it sets itself up: one of each is lost, nobody is refused."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.artifacts.cassandra import CassandraArtifacts
from support.end_to_end.local_stack import LocalStack
from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.traffic import actions, send, send_singles

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture
def stack(cassandra_artifacts: CassandraArtifacts, tmp_path: Path) -> Iterator[LocalStack]:
    del cassandra_artifacts  # only so that it is skipped where the others are
    stack = LocalStack(tmp_path)
    try:
        stack.up("--store", "cassandra", "--store-nodes", "3", "--brokers", "3")
        yield stack
    finally:
        stack("down", check=False)


async def test_a_node_is_killed_and_a_broker_vanishes(stack: LocalStack) -> None:
    made = actions(91, 30_000, now=time.time_ns() // 1_000_000, hours=48, users=2_000)
    healthy, faulty, singles = made[:10_000], made[10_000:29_800], made[29_800:]
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        await send(http, stack.url, healthy)
        await until_caught_up(http, stack.url)
        stack.send("cassandra-2", signal.SIGKILL)
        # Unlike after a kill nobody is told: connections stay open, and nothing answers.
        with stack.stopped("kafka-1"):
            answers, _ = await asyncio.gather(send_singles(http, stack.url, singles), send(http, stack.url, faulty))
            assert {answer.status_code for answer in answers} == {204}
            await until_caught_up(http, stack.url)
            assert await differences(http, stack.url, count(made)) == {}
    assert stack.states()["cassandra-2"] == "dead"
    assert json.loads(stack("audit", "--json"))["outcome"] == "equal"
