import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config

from service.client import ClientNames, networks
from service.connections.guard import Guard
from service.connections.limits import ConnectionLimits
from service.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS, BoundedHttpProtocol
from support.fixtures.http_connection import Transport
from support.fixtures.ingest import until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
LIMITS = ConnectionLimits()


class From(Transport):
    """A connection from an address."""

    def __init__(self, address: str = "203.0.113.7") -> None:
        super().__init__()
        self._address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._address, 1) if name == "peername" else default


class App:
    """Answers 200 when the test lets it, and remembers the headers that it saw."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.seen: list[list[tuple[bytes, bytes]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.seen.append(scope["headers"])
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


class Connections:
    """Connections to the app that one guard looks after."""

    def __init__(self, limits: ConnectionLimits = LIMITS, clients: ClientNames | None = None) -> None:
        self.app = App()
        self.guard = Guard(limits, clients)

    def open(self, transport: Transport | None = None) -> tuple[BoundedHttpProtocol, Transport]:
        transport = transport or From()
        config = Config(self.app, log_config=None)
        protocol = BoundedHttpProtocol(config, self.guard, {}, asyncio.get_running_loop())
        protocol.connection_made(transport)
        return protocol, transport

    def refused(self, limit: str) -> float:
        return self.guard.metrics.refused.labels(limit)._value.get()  # noqa: SLF001 - there is no public way

    def ended(self, reason: str) -> float:
        return self.guard.metrics.ended.labels(reason)._value.get()  # noqa: SLF001 - likewise


def seconds(protocol: BoundedHttpProtocol, count: float, begin: float = 0.0) -> None:
    """So many seconds pass, and it is looked at in each."""
    now = begin
    while now <= begin + count:
        protocol.look(now)
        now += 1.0


# How many there are


async def test_more_connections_than_the_process_takes_are_answered_503_and_counted() -> None:
    connections = Connections(LIMITS._replace(connections=2))
    first = [connections.open(From(f"203.0.113.{number}")) for number in range(2)]
    _, refused = connections.open(From("203.0.113.9"))
    assert refused.written.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 1\r\n" in refused.written
    assert b"too_many_connections" in refused.written
    assert refused.closed
    assert connections.refused("connections") == 1
    first[0][0].connection_lost(None)
    _, taken = connections.open(From("203.0.113.9"))
    assert not taken.closed


async def test_more_connections_than_one_client_may_have_are_refused_and_others_are_taken() -> None:
    connections = Connections(LIMITS._replace(of_one=1))
    connections.open()
    assert connections.open()[1].closed
    assert not connections.open(From("203.0.113.8"))[1].closed
    assert connections.refused("of_one") == 1


async def test_a_trusted_proxy_may_have_as_many_as_the_process_takes() -> None:
    proxies = ClientNames(networks(["203.0.113.7"]))
    connections = Connections(LIMITS._replace(of_one=1, connections=3), proxies)
    assert [connections.open()[1].closed for _ in range(4)] == [False, False, False, True]


async def test_what_is_refused_again_and_again_is_closed_at_once_and_all_is_given_back() -> None:
    connections = Connections(LIMITS._replace(connections=0))
    opened = [connections.open()[0] for _ in range(200)]
    assert connections.guard.refused == 200
    for protocol in opened:
        protocol.connection_lost(None)
    assert connections.guard.refused == 0


# How long they take


async def test_a_connection_that_sends_nothing_is_closed_after_the_time_for_a_head() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    seconds(protocol, LIMITS.head_seconds - 1)
    assert not transport.closed
    seconds(protocol, 2, LIMITS.head_seconds)
    assert transport.closed
    assert transport.written == b""
    assert connections.ended("head_timeout") == 1


async def test_a_head_that_comes_a_byte_at_a_time_is_refused_after_the_time_for_all_of_it() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    for second in range(20):
        if not transport.closed:
            protocol.data_received(GET[second : second + 1])
            protocol.look(float(second))
    assert transport.written.startswith(b"HTTP/1.1 408 ")
    assert b"head_too_slow" in transport.written


async def test_a_request_that_is_worked_on_may_take_its_time_and_then_the_client_too() -> None:
    connections = Connections()
    connections.app.may_answer.clear()
    protocol, transport = connections.open()
    protocol.data_received(GET)
    seconds(protocol, 500)
    connections.app.may_answer.set()
    await until(lambda: b"200 OK" in transport.written)
    seconds(protocol, LIMITS.idle_seconds - 2, 501)
    assert not transport.closed


async def test_each_request_has_its_own_time() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    for second in range(30):
        protocol.data_received(GET)
        await until(lambda: transport.written.count(b"200 OK") == second + 1)  # noqa: B023 - awaited at once
        protocol.look(float(second))
    assert not transport.closed


async def test_blank_lines_and_the_rest_of_a_body_do_not_keep_a_connection() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    protocol.data_received(GET)
    await until(lambda: b"200 OK" in transport.written)
    for second in range(int(LIMITS.idle_seconds) + 2):
        protocol.data_received(b"\r\n")
        protocol.look(float(second))
    assert transport.closed
    assert connections.ended("idle") == 1


async def test_a_client_that_reads_nothing_is_given_up_even_while_its_connection_is_closing() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    transport.unread, transport.closed = 100_000, True
    seconds(protocol, LIMITS.unread_seconds - 1)
    assert not transport.aborted
    protocol.look(LIMITS.unread_seconds)
    assert transport.aborted
    assert connections.ended("unread") == 1


async def test_a_client_that_reads_slowly_goes_on() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    for second in range(100):
        transport.unread = 100_000 - second
        protocol.look(float(second))
    for second in range(100, 200):
        protocol.resume_writing()
        protocol.look(float(second))
    assert not transport.aborted


async def test_where_clients_have_too_much_unread_those_with_most_are_given_up() -> None:
    connections = Connections(LIMITS._replace(unread_bytes=100))
    opened = [connections.open(From(f"203.0.113.{number}")) for number in range(4)]
    for (_, transport), unread in zip(opened, (40, 60, 0, 50), strict=True):
        transport.unread = unread
    await connections.guard.look_at_all([protocol for protocol, _ in opened], 1.0)
    assert [transport.aborted for _, transport in opened] == [False, True, False, False]


# How much of them waits


@pytest.mark.parametrize("size", [1, 7, 1_000, 1_025, 1_000_000])
async def test_pipelined_requests_are_all_answered_however_they_come_and_few_wait_parsed(size: int) -> None:
    connections = Connections()
    connections.app.may_answer.clear()
    protocol, transport = connections.open()
    requests = GET * 2_000 + b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + b"b" * 5000 + GET
    pieces = iter([requests[start : start + size] for start in range(0, len(requests), size)])
    while transport.reading and (piece := next(pieces, None)):
        protocol.data_received(piece)
    assert len(protocol.pipeline) < 100
    connections.app.may_answer.set()
    await until(lambda: send_on(protocol, transport, pieces) >= 2_002)
    assert connections.guard.waiting_bytes == 0


def send_on(protocol: BoundedHttpProtocol, transport: Transport, pieces: Iterator[bytes]) -> int:
    """Sends while the other end reads; how many answers there are."""
    while transport.reading and (piece := next(pieces, None)):
        protocol.data_received(piece)
    return transport.written.count(b"200 OK")


async def test_where_too_much_waits_the_connection_is_given_up() -> None:
    connections = Connections(LIMITS._replace(waiting_bytes=50_000))
    connections.app.may_answer.clear()
    protocol, transport = connections.open()
    protocol.data_received(GET * 10_000)
    assert transport.aborted
    protocol.connection_lost(None)
    assert connections.guard.waiting_bytes == 0


@pytest.mark.parametrize("size", [10, 1_000, 10_000_000])
@pytest.mark.parametrize("trailers", [b"a: b\r\n" * 20_000, b"a: " + b"b" * 200_000])
async def test_trailers_have_the_bound_of_a_head(trailers: bytes, size: int) -> None:
    protocol, transport = Connections().open()
    data = CHUNKED + trailers
    for start in range(0, len(data), size):
        if not transport.closed:
            protocol.data_received(data[start : start + size])
    await until(lambda: transport.closed)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert b"trailers" in transport.written


async def test_trailers_are_no_headers_of_their_request_and_the_next_request_is_read() -> None:
    connections = Connections()
    protocol, transport = connections.open()
    protocol.data_received(CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + GET)
    await until(lambda: transport.written.count(b"200 OK") == 2)
    assert [[name for name, _ in headers] for headers in connections.app.seen] == [[b"transfer-encoding"], [b"host"]]


async def test_a_chunked_body_of_any_size_is_read_however_small_its_chunks_are() -> None:
    protocol, transport = Connections().open()
    protocol.data_received(CHUNKED[: -len(b"0\r\n")] + b"1\r\nx\r\n" * MAX_HEAD_BYTES + b"0\r\n\r\n")
    await until(lambda: b"200 OK" in transport.written)


@pytest.mark.parametrize("size", [100, 10_000_000])
async def test_more_headers_than_the_bound_are_refused(size: int) -> None:
    protocol, transport = Connections().open()
    data = GET[:-2] + b"a:b\r\n" * (MAX_HEADERS + 1) + b"\r\n"
    for start in range(0, len(data), size):
        if not transport.closed:
            protocol.data_received(data[start : start + size])
    assert transport.written.startswith(b"HTTP/1.1 431 ")
