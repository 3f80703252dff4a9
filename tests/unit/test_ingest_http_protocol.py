import asyncio
import json
from collections.abc import Iterable

import pytest
from http_connection import Transport
from ingest_world import until
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from ingest_api.http_protocol import MAX_HEAD_BYTES, BoundedHttpProtocol

PIECE = 1000


async def app(_: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and answers with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def sent(data: bytes) -> Transport:
    """A connection on which `data` came in pieces, until it was closed."""
    config = Config(app, log_config=None)
    protocol = BoundedHttpProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    for piece in pieces_of(data):
        if transport.closed:
            break
        protocol.data_received(piece)
    return transport


def pieces_of(data: bytes) -> Iterable[bytes]:
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


@pytest.mark.parametrize(
    "endless",
    [
        b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEAD_BYTES,
        b"POST /analytics?user=" + b"x" * 2 * MAX_HEAD_BYTES,
        b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES,
    ],
)
async def test_a_head_that_does_not_end_is_refused_with_a_problem(endless: bytes) -> None:
    transport = await sent(endless)
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json")
    assert json.loads(body)["code"] == "head_too_large"
    assert transport.closed


async def test_a_long_head_and_a_longer_body_are_read() -> None:
    head = b"POST / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD_BYTES - PIECE)
    size = 3 * MAX_HEAD_BYTES
    transport = await sent(head + b"\r\nContent-Length: %d\r\n\r\n" % size + b"b" * size)
    await until(lambda: transport.written.endswith(b"%d" % size))
    assert transport.written.startswith(b"HTTP/1.1 200 OK")


async def test_each_request_on_a_connection_has_a_bound_of_its_own() -> None:
    request = b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n"
    transport = await sent(request * 4)
    await until(lambda: transport.written.count(b"HTTP/1.1 200 OK") == 4)


async def test_what_is_no_http_is_refused_with_a_problem() -> None:
    transport = await sent(b"nonsense\r\n\r\n")
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json")
    assert json.loads(body)["code"] == "http_malformed"
