"""A few bytes that ask for a large answer, and clients that do not read it."""

import gzip
import json
import logging

import pytest

from support.attacks.load import batch_of, good_requests, single
from support.attacks.sockets import many
from support.attacks.target import Target

logger = logging.getLogger(__name__)

LINES = 10_000
BAD_LINE = '{{"{0}":"{0}"}}\n'.format("😀" * 64).encode()
"""Shown in full, it takes more than a kilobyte of an answer."""
BODY = gzip.compress(BAD_LINE * LINES)
HEAD = b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(
    BODY
)
CLIENTS = 60


@pytest.fixture
def loaded(ingest: Target) -> tuple[Target, int]:
    """The ingest API, and its memory under plain full load."""
    with ingest.peak() as seen, good_requests(ingest.port, batch_of(10_000), clients=16) as outcomes:
        outcomes.wait_for(200)
    return ingest, max(seen)


def test_a_few_bytes_of_bad_lines_do_not_get_a_large_answer(ingest: Target) -> None:
    answer = ingest.ask("POST", "/v1/actions", BODY, Content_Encoding="gzip")
    assert answer.status == 422
    assert len(json.loads(answer.body)["rejected"]) == 100
    assert json.loads(answer.body)["rejected_by_code"] == {"unknown_field": LINES}
    assert len(answer.body) < 150_000


def test_clients_that_do_not_read_cost_no_memory_and_nobody_waits_for_them(loaded: tuple[Target, int]) -> None:
    ingest, full = loaded
    with (
        many(CLIENTS, ingest.port, receive_buffer=4096) as clients,
        ingest.peak() as seen,
        good_requests(ingest.port, single) as outcomes,
    ):
        for client in clients:
            client.sendall(HEAD + BODY)
        while ingest.metric("collector_ingest_actions_rejected_total", 'code="unknown_field"') < CLIENTS * LINES:
            outcomes.wait_for(10)
    logger.info("%d MB, under full load %d; slowest %.2f s", max(seen) >> 20, full >> 20, outcomes.slowest)
    assert max(seen) <= 1.3 * full
    assert outcomes.total > 0
    assert outcomes.share_of_successes >= 0.99
