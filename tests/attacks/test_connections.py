"""Connections that send nothing, or not all, or far too much."""

import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from select import select

import pytest

from stream_workers.pages.connections import LIMITS
from support.attacks.load import good_requests, single
from support.attacks.sockets import all_that_comes, connected, flood, many
from support.attacks.target import Target

logger = logging.getLogger(__name__)

MIB = 1024 * 1024
FLOOD = 20 * MIB
SMALL = 256
"""Descriptors."""
SOCKETS = 300
OTHER = "127.0.0.2"

CHUNKED = b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADERS = b"a: b\r\n" * 10_000


@pytest.fixture(params=["ingest", "aggregator", "worker"])
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    ("begin", "data"),
    [(CHUNKED, HEADERS), (CHUNKED + b"a: ", b"b" * 60_000), (GET[:-2], HEADERS), (GET, GET * 3_000)],
    ids=["trailers", "one long trailer", "headers", "pipelined requests"],
)
def test_megabytes_on_one_connection_take_no_memory(target: Target, begin: bytes, data: bytes) -> None:
    before = target.memory()
    with connected(target.port) as own, target.peak() as seen:
        own.sendall(begin)
        taken = flood(own, data, FLOOD)
    logger.info("%d MB taken, memory %d -> %d MB", taken // MIB, before // MIB, max(seen) // MIB)
    assert max(seen) - before < 10 * MIB
    assert target.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("sent", [b"", GET[:20]], ids=["nothing", "half a head"])
def test_a_head_that_does_not_come_ends_its_connection(target: Target, sent: bytes) -> None:
    with connected(target.port) as own:
        own.sendall(sent)
        began = time.monotonic()
        answer = all_that_comes(own)
        lasted = time.monotonic() - began
    assert answer.startswith(b"HTTP/1.1 408 " if sent else b"")
    assert bool(answer) == bool(sent)
    # The bound is 10 s, the connections are looked at once a second, and one that was answered is closed after 5 s.
    assert 9 < lasted < 20
    assert target.metric("collector_http_connections_ended_total", 'reason="head_timeout"') == 1


def test_where_descriptors_are_few_one_client_is_told_503_and_others_are_served(
    start_ingest: Callable[..., Target],
) -> None:
    ingest = start_ingest(SMALL)
    with many(SOCKETS, ingest.port) as sockets, good_requests(ingest.port, single, source=OTHER) as outcomes:
        outcomes.wait_for(200)
        statuses = Counter(own.recv(12) for own in sockets if select([own], [], [], 0)[0])
    assert outcomes.share_of_successes == 1
    assert statuses[b"HTTP/1.1 503"] > SOCKETS / 2
    refused = ingest.metric("collector_http_connections_refused_total", 'limit="of_one"')
    assert refused == statuses.total()
    assert 1 <= ingest.logged().count("is refused") <= 20


def test_a_worker_whose_pages_somebody_holds_open_answers_others(worker: Target) -> None:
    with many(SOCKETS, worker.port, source=OTHER) as sockets:
        health = worker.ask("GET", "/healthz")
        refused = worker.metric("collector_http_connections_refused_total", 'limit="of_one"')
        statuses = Counter(own.recv(12) for own in sockets if select([own], [], [], 0)[0])
    assert health.status == 200
    assert statuses == {b"HTTP/1.1 503": SOCKETS - LIMITS.of_one}
    assert refused == statuses.total()
    assert worker.logged().count("is refused") == 1


def test_a_service_takes_all_the_descriptors_that_the_system_lets_it_have(start_ingest: Callable[..., Target]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SMALL, hard))
    try:
        ingest = start_ingest()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(ingest.pid, resource.RLIMIT_NOFILE) == (hard, hard)
