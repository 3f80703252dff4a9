"""Clients that ask for much and read nothing."""

import logging

import pytest

from support.attacks.sockets import connected
from support.attacks.target import Target

logger = logging.getLogger(__name__)

GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""Tens of kilobytes are the answer to it."""
REQUESTS = 2_000
GIVEN_UP = "collector_http_connections_ended_total"


@pytest.fixture(params=["ingest", "aggregator"])
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.mark.timeout(120)
def test_a_client_that_reads_nothing_is_given_up_and_takes_little_memory_until_then(target: Target) -> None:
    target.ask("GET", "/openapi.json")
    before = target.memory()
    with connected(target.port, receive_buffer=4096) as own, target.peak() as seen:
        own.sendall(GET * REQUESTS)
        while not target.metric(GIVEN_UP, 'reason="unread"'):
            pass
    logger.info("memory %d -> %d MB", before >> 20, max(seen) >> 20)
    assert max(seen) <= 1.3 * before
    assert target.ask("GET", "/healthz").status == 200
