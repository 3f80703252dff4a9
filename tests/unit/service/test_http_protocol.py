import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from service import http_protocol
from service.http_protocol import MAX_HEAD_BYTES, BoundedHttpProtocol
from service.web.hosts import AllowedHosts
from support.fixtures.http_connection import Transport
from support.fixtures.ingest import until

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


async def sent(*data: bytes) -> Transport:
    """A connection on which `data` came, each in pieces, until it was closed."""
    config = Config(app, log_config=None)
    protocol = BoundedHttpProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    for piece in (piece for packet in data for piece in pieces_of(packet)):
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
    ],
)
async def test_a_head_that_does_not_end_is_refused_with_a_problem(endless: bytes) -> None:
    transport = await sent(endless)
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json")
    assert json.loads(body)["code"] == "head_too_large"
    assert transport.closed


async def test_a_head_that_does_not_end_is_refused_after_the_answer_to_the_request_before() -> None:
    transport = await sent(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES)
    await until(lambda: transport.closed)
    assert [answer[:3] for answer in transport.written.split(b"HTTP/1.1 ")[1:]] == [b"200", b"431"]


async def sent_at_once(data: bytes) -> Transport:
    """A connection on which all came in one piece."""
    protocol = BoundedHttpProtocol(Config(app, log_config=None), ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    protocol.data_received(data)
    return transport


def get(target_bytes: int, head_bytes: int) -> bytes:
    """A request whose target, and whose head as a whole, have so many bytes."""
    line = b"GET /" + b"x" * (target_bytes - 1) + b" HTTP/1.1\r\n"
    return line + b"X: " + b"y" * (head_bytes - len(line) - len(b"X: \r\n\r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize("send", [sent, sent_at_once])
@pytest.mark.parametrize("before", [b"", b"POST / HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" + b"b" * 90_000])
@pytest.mark.parametrize(
    ("target_bytes", "head_bytes", "status", "code"),
    [
        (MAX_HEAD_BYTES + 1, MAX_HEAD_BYTES + 100, 414, "target_too_long"),
        (70_000, 70_100, 414, "target_too_long"),
        (70_000, 100_000, 414, "target_too_long"),
        (MAX_HEAD_BYTES, MAX_HEAD_BYTES + 100, 431, "head_too_large"),
        (1, MAX_HEAD_BYTES + 1, 431, "head_too_large"),
        (1, 100_000, 431, "head_too_large"),
    ],
)
async def test_a_target_or_a_head_above_the_bound_is_refused_however_it_comes(
    send: Callable[[bytes], Awaitable[Transport]],
    before: bytes,
    target_bytes: int,
    head_bytes: int,
    status: int,
    code: str,
) -> None:
    transport = await send(before + get(target_bytes, head_bytes) + b"GET / HTTP/1.1\r\n\r\n")
    await until(lambda: transport.closed)
    *answered, refusal = transport.written.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answered] == ([b"200"] if before else [])
    head, _, body = refusal.partition(b"\r\n\r\n")
    assert head.startswith(b"%d " % status)
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (status, code)


@pytest.mark.parametrize("send", [sent, sent_at_once])
async def test_a_head_at_the_bound_is_read(send: Callable[[bytes], Awaitable[Transport]]) -> None:
    transport = await send(get(MAX_HEAD_BYTES - 100, MAX_HEAD_BYTES))
    await until(lambda: transport.written.startswith(b"HTTP/1.1 200 OK"))


async def test_a_target_that_does_not_end_is_refused() -> None:
    transport = await sent(b"POST /analytics?user=" + b"x" * 3 * MAX_HEAD_BYTES)
    assert transport.written.startswith(b"HTTP/1.1 414 ")
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


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (b"nonsense\r\n\r\n", "Invalid method encountered"),
        (b"post / HTTP/1.1\r\n\r\n", "Invalid method encountered"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 is not spoken here"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-Length"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk size"),
    ],
)
async def test_what_is_no_http_is_refused_with_a_problem_that_says_why(request_: bytes, why: str) -> None:
    transport = await sent(request_)
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json")
    assert json.loads(body)["code"] == "http_malformed"
    assert why in json.loads(body)["detail"]
    assert transport.closed


@pytest.mark.parametrize("name", ["ü".encode(), "ü".encode("latin-1"), b"\x01"])
async def test_a_byte_that_must_be_percent_encoded_is_refused_and_its_parameter_named(name: bytes) -> None:
    transport = await sent(b"POST /analytics?timestamp=1&user=" + name + b"&event=click HTTP/1.1\r\nHost: a\r\n\r\n")
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json")
    told = json.loads(body)
    assert (told["code"], told["field"]) == ("target_not_encoded", "user")
    assert "percent-encoded" in told["detail"]
    assert told["detail"].startswith(f"user {told['value']}: ")
    assert transport.closed


async def test_what_else_is_no_http_is_told_with_what_the_parser_stumbles_over() -> None:
    for request in (b"GET /analytics?user=a b HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"):
        told = json.loads((await sent(request)).written.partition(b"\r\n\r\n")[2])
        assert told["code"] == "http_malformed"
        assert told["detail"].startswith("the request is no HTTP/1.1: ")


OFFERS = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
    b"Upgrade: h2c\r\nConnection: keep-alive, Upgrade\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n",
)
BODIES = (
    (b"Content-Length: 2500\r\n", b"b" * 2500, 2500),
    (b"Transfer-Encoding: chunked\r\n", b"5\r\nabcde\r\n4\r\nfghi\r\n0\r\n\r\n", 9),
    (b"", b"", 0),
)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(("framing", "body", "size"), BODIES)
async def test_an_offer_to_upgrade_is_ignored_and_the_body_is_read(
    version: bytes, last: bytes, offer: bytes, framing: bytes, body: bytes, size: int
) -> None:
    request = b"POST / HTTP/" + version + b"\r\n" + offer + last + framing + b"\r\n" + body
    for cut in (len(request), len(request) - len(body), 30):
        transport = await sent(request[:cut], request[cut:])
        await until(lambda: transport.written.endswith(b"\r\n\r\n%d" % size))  # noqa: B023 - awaited at once
        assert transport.written.count(b"HTTP/1.1 200 OK") == 1


async def test_requests_that_follow_on_an_offer_are_read_as_requests() -> None:
    request = b"POST / HTTP/1.1\r\n" + OFFERS[0] + b"Content-Length: 3\r\n\r\nabc"
    transport = await sent(request * 50 + b"GET / HTTP/1.1\r\n\r\n")
    await until(lambda: transport.written.count(b"HTTP/1.1 200 OK") == 51)


async def test_connect_is_refused_and_what_follows_is_not_read() -> None:
    transport = await sent(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    assert transport.written.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert transport.written.count(b"HTTP/1.1") == 1
    assert transport.closed


@pytest.fixture
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttpProtocol, "hosts", AllowedHosts((), "127.0.0.1"))


@pytest.mark.usefixtures("on_loopback")
@pytest.mark.parametrize("more", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
async def test_a_request_for_another_host_is_refused_with_a_problem_and_nothing_of_it_is_done(more: bytes) -> None:
    transport = await sent_at_once(b"GET / HTTP/1.1\r\nHost: rebound.example:8081\r\n" + more + b"\r\n")
    await until(lambda: transport.closed)
    (answer,) = transport.written.split(b"HTTP/1.1 ")[1:]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"421 Misdirected Request\r\n")
    assert json.loads(body)["code"] == "host_not_allowed"
    assert json.loads(body)["value"] == '"rebound.example:8081"'


@pytest.mark.usefixtures("on_loopback")
async def test_a_later_request_of_a_connection_is_judged_by_its_own_host() -> None:
    requests = [
        b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host for host in (b"localhost:80", b"[::1]", b"rebound.example")
    ]
    transport = await sent_at_once(b"".join(requests))
    await until(lambda: transport.closed)
    assert [answer[:3] for answer in transport.written.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"421"]


@pytest.mark.usefixtures("on_loopback")
@pytest.mark.parametrize("address", [b"10.1.2.3:8080", b"10.1.2.3", b"[2001:db8::7]:8080"])
@pytest.mark.parametrize(
    ("path", "status"), [(b"/healthz", b"200"), (b"/readyz", b"200"), (b"/metrics", b"200"), (b"/", b"421")]
)
async def test_probes_and_scrapes_name_a_process_by_its_address_which_no_setting_knows(
    path: bytes, status: bytes, address: bytes
) -> None:
    transport = await sent_at_once(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (path, address))
    await until(lambda: b"\r\n\r\n" in transport.written)
    assert transport.written.startswith(b"HTTP/1.1 " + status)


@pytest.mark.usefixtures("on_loopback")
@pytest.mark.parametrize("name", [b"rebound.example:8080", b"10.1.2.3.example", b"a[::1]", b"[10.1.2.3", b""])
async def test_metrics_are_for_no_page_whose_name_was_made_to_lead_here(name: bytes) -> None:
    transport = await sent_at_once(b"GET /metrics HTTP/1.1\r\nHost: %b\r\n\r\n" % name)
    await until(lambda: b"\r\n\r\n" in transport.written)
    assert transport.written.startswith(b"HTTP/1.1 421")


@pytest.mark.usefixtures("on_loopback")
async def test_a_request_without_a_host_comes_from_no_browser() -> None:
    transport = await sent_at_once(b"GET / HTTP/1.0\r\n\r\n")
    await until(lambda: transport.closed)
    assert transport.written.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("offer", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
@pytest.mark.parametrize("before", [False, True])
async def test_a_request_that_comes_on_an_idle_connection_after_a_stop_began_is_answered_as_the_last(
    offer: bytes, *, before: bool
) -> None:
    transport, protocol = Transport(), connection()
    protocol.connection_made(transport)
    if before:
        protocol.data_received(b"GET / HTTP/1.1\r\n\r\n")
        await until(lambda: b"HTTP/1.1 200" in transport.written)
    protocol.shutdown()
    assert not transport.closed
    protocol.data_received(b"GET / HTTP/1.1\r\n" + offer + b"\r\n")
    await until(lambda: transport.closed)
    answers = transport.written.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * (before + 1)
    assert b"connection: close" in answers[-1]


async def test_a_connection_that_stays_idle_after_a_stop_began_is_closed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "PARTING_SECONDS", 0.01)
    transport, protocol = Transport(), connection()
    protocol.connection_made(transport)
    protocol.shutdown()
    await until(lambda: transport.closed)
    assert transport.written == b""


def connection() -> BoundedHttpProtocol:
    return BoundedHttpProtocol(Config(app, log_config=None), ServerState(), {}, asyncio.get_running_loop())
