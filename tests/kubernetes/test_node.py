"""The stack of deploy/kubernetes on two real nodes: what happens to pods changes no number and fails no request."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest

from support.end_to_end.oracle import HOUR_MS, count, differences, until_caught_up
from support.end_to_end.traffic import send
from support.kubernetes.endings import Endings
from support.kubernetes.load import Load
from support.kubernetes.stack import Stack
from support.pipeline.eventually import eventually

REAL: Final = Path(__file__).parents[1] / "e2e" / "data" / "web-2015-05.ndjson"
SECONDS: Final = 300.0
SERVICES: Final = ("ingest", "worker", "aggregator", "rollup")
HOURS: Final = itertools.count(int(datetime(2016, 1, 1, tzinfo=UTC).timestamp()) * 1_000, HOUR_MS)
"""One for each test."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60, headers={"Authorization": f"Bearer {stack.key}"}) as client:
        yield client


@pytest.fixture
def load(stack: Stack) -> Load:
    return Load(stack, next(HOURS))


@pytest.fixture(autouse=True)
def _as_it_was(stack: Stack) -> Iterator[None]:
    """Whatever a test did, the next one finds everything at work."""
    yield
    stack.settled(*SERVICES)


async def require_exact(http: httpx.AsyncClient, stack: Stack, load: Load) -> None:
    """Each action that was acknowledged is counted, once."""
    await until_caught_up(http, stack.aggregator, SECONDS)
    assert load.acknowledged
    assert await differences(http, stack.aggregator, count(load.acknowledged)) == {}


async def test_it_comes_up_and_only_workers_had_to_be_restarted(stack: Stack) -> None:
    """A worker ends where Kafka is not there yet when it starts."""
    stack.kubectl("wait", "--for=condition=Complete", "--timeout=60s", "job/provision")

    assert {name: len(stack.pods(name)) for name in SERVICES} == {
        "ingest": 2,
        "worker": 2,
        "aggregator": 1,
        "rollup": 1,
    }
    assert not [pod for pod in stack.restarts() if not pod.startswith("worker-")]


async def test_every_hour_of_the_real_file_is_right(stack: Stack, http: httpx.AsyncClient) -> None:
    actions = [json.loads(line) for line in REAL.read_text().splitlines()]

    await send(http, stack.ingest, actions)
    await until_caught_up(http, stack.aggregator, SECONDS)

    assert await differences(http, stack.aggregator, count(actions)) == {}


async def test_a_rolling_restart_fails_no_request_and_each_process_drains(
    stack: Stack, http: httpx.AsyncClient, load: Load
) -> None:
    before = {pod["metadata"]["name"] for service in SERVICES for pod in stack.pods(service)}

    with Endings(stack) as endings, load:
        for service in SERVICES:
            stack.kubectl("rollout", "restart", "deployment", service)
        stack.settled(*SERVICES)
        await eventually(lambda: before <= endings.codes().keys(), SECONDS)
        codes = endings.codes()

    assert {name: codes[name] for name in before} == dict.fromkeys(before, 0)
    assert load.failed == []
    assert load.read
    await require_exact(http, stack, load)


async def test_workers_that_are_deleted_at_random_change_no_number(
    stack: Stack, http: httpx.AsyncClient, load: Load
) -> None:
    draw = random.Random(1)

    with load:
        for _ in range(6):
            pod = draw.choice(stack.pods("worker"))["metadata"]["name"]
            kill = ["--grace-period=0", "--force"] if draw.random() < 0.5 else []
            stack.kubectl("delete", "pod", pod, *kill)
            stack.settled("worker")

    assert load.failed == []
    await require_exact(http, stack, load)


async def test_workers_are_scaled_by_hand(stack: Stack, http: httpx.AsyncClient, load: Load) -> None:
    with load:
        for number in (1, 4, 1, 2):
            stack.kubectl("scale", "deployment", "worker", f"--replicas={number}")
            stack.settled("worker")

    assert load.failed == []
    await require_exact(http, stack, load)


async def test_a_node_is_drained_without_a_failed_request(stack: Stack, http: httpx.AsyncClient, load: Load) -> None:
    stack.kubectl("scale", "deployment", "aggregator", "--replicas=2")
    stack.settled(*SERVICES)
    assert "b" in {pod["spec"]["nodeName"] for name in SERVICES for pod in stack.pods(name)}

    with load:
        stack.kubectl("drain", "b", "--delete-emptydir-data", "--timeout=5m")
        stack.settled(*SERVICES)
    stack.kubectl("uncordon", "b")

    assert load.failed == []
    assert {pod["spec"]["nodeName"] for name in SERVICES for pod in stack.pods(name)} == {"a"}
    await require_exact(http, stack, load)


async def test_a_store_that_is_away_restarts_nothing(stack: Stack, http: httpx.AsyncClient, load: Load) -> None:
    def ready(service: str) -> int:
        return sum(state["ready"] for pod in stack.pods(service) for state in pod["status"]["containerStatuses"])

    stack.settled(*SERVICES)
    before = stack.restarts()
    stack.kubectl("scale", "statefulset", "influxdb", "--replicas=0")
    with load:
        await eventually(lambda: not ready("worker") and not ready("aggregator"), SECONDS)
        assert ready("ingest") == len(stack.pods("ingest"))

    stack.kubectl("scale", "statefulset", "influxdb", "--replicas=1")
    stack.settled(*SERVICES)

    assert [failure for failure in load.failed if " POST:" in failure] == []
    assert stack.restarts() == before
    await require_exact(http, stack, load)
