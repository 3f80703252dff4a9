"""Thousands of requests in each read of several connections: they are answered in turns, and others are not held up."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from threading import Event, Thread

from support.attacks.load import good_requests, single
from support.attacks.sockets import many
from support.attacks.target import Target

logger = logging.getLogger(__name__)

REFUSED = b"POST /analytics?x HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONNECTIONS = 32
GOOD = 100


@contextmanager
def pipelining(port: int) -> Iterator[None]:
    """Within, connections are sent as many refused requests as they take, and their answers are read and dropped."""
    done = Event()

    def attack() -> None:
        with many(CONNECTIONS, port) as connections:
            for own in connections:
                own.settimeout(0)
            while not done.is_set():
                readable, writable, _ = select(connections, connections, [], 1)
                for own in readable:
                    with suppress(BlockingIOError):
                        own.recv(1 << 20)
                for own in writable:
                    with suppress(BlockingIOError):
                        own.send(REFUSED * 10_000)

    attacking = Thread(target=attack)
    attacking.start()
    try:
        yield
    finally:
        done.set()
        attacking.join()


def test_pipelined_requests_take_their_turn_with_those_of_others(ingest: Target) -> None:
    with pipelining(ingest.port), good_requests(ingest.port, single) as outcomes:
        outcomes.wait_for(GOOD)
    refused = ingest.metric("collector_ingest_problems_total", 'code="query_malformed"')
    logger.info("slowest %.2f s; %d were refused meanwhile", outcomes.slowest, refused)
    assert refused > CONNECTIONS * GOOD
    assert outcomes.share_of_successes == 1
