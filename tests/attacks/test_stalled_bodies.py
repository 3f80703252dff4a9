"""Bodies that are a few kilobytes, would be megabytes, and do not end."""

import gzip

from support.attacks.load import batch_of, good_requests
from support.attacks.sockets import all_that_comes, many
from support.attacks.target import Target

INFLATED = 16 * 1024 * 1024 - 1024
BODY = gzip.compress(b" " * INFLATED)
HEAD = b"POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (
    len(BODY) + 9
)
STALLING = 4
REQUESTS = 1_000


def test_while_bodies_that_inflate_to_much_stall_others_are_taken(ingest: Target) -> None:
    with many(STALLING, ingest.port) as clients:
        for client in clients:
            client.sendall(HEAD + BODY)
        with good_requests(ingest.port, batch_of(100)) as outcomes:
            outcomes.wait_for(REQUESTS)
        assert outcomes.share_of_successes >= 0.99
        for client in clients:
            assert all_that_comes(client).startswith(b"HTTP/1.1 408 ")
