"""Connections to the worker's pages, over sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import pytest
from aiohttp import web

from service.connections.guard import Guard
from service.connections.limits import ConnectionLimits
from service.connections.metrics import ConnectionMetrics
from service.metrics.listed import MetricList
from service.web.hosts import AllowedHosts
from stream_workers.pages.connections import LIMITS, BoundedListener
from stream_workers.pages.middlewares import web_options
from support.pipeline.eventually import eventually

OTHER: Final = "127.0.0.2"
GET: Final = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE: Final = 16 * 1024 * 1024


class Client(NamedTuple):
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def status(self, page: bytes = b"") -> int:
        """What a request is answered."""
        self.writer.write(GET % page)
        head = await self.reader.readuntil(b"\r\n\r\n")
        await self.reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        return int(head.split()[1])


class Pages:
    """A server of two pages; `/slow` is answered when it is let go."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.listed = MetricList()
        self.guard = Guard(limits, metrics=ConnectionMetrics(self.listed))
        self.listener = BoundedListener(self.guard)
        self.let_go = asyncio.Event()
        self._clients: list[Client] = []
        self.app = web.Application(**web_options(AllowedHosts((), "127.0.0.1"), None))
        self.app.router.add_get("/", self._small)
        self.app.router.add_get("/slow", self._slow)
        self.app.router.add_get("/large", self._large)

    async def _small(self, _: web.Request) -> web.Response:
        return web.Response(text="small")

    async def _slow(self, _: web.Request) -> web.Response:
        await self.let_go.wait()
        return web.Response(text="slow")

    async def _large(self, _: web.Request) -> web.Response:
        return web.Response(body=bytes(LARGE))

    async def client(self, source: str = "127.0.0.1", receive_buffer: int | None = None) -> Client:
        own = socket.socket()
        if receive_buffer is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        own.bind((source, 0))
        own.setblocking(False)  # noqa: FBT003 - the standard library's
        await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", self.listener.port))
        client = Client(*await asyncio.open_connection(sock=own))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """What its clients left open."""
        for client in self._clients:
            client.writer.transport.abort()
        await self.listener.stop()

    async def look(self, later: float) -> None:
        """As the guard does each second, so many seconds from now."""
        await self.guard.look_at_all(list(self.guard.connections), asyncio.get_running_loop().time() + later)  # type: ignore[arg-type] # all of ours are guarded

    def metric(self, name: str, **labels: str) -> float | None:
        return self.listed.registry.get_sample_value(f"collector_http_{name}", labels)


@asynccontextmanager
async def pages(limits: ConnectionLimits = LIMITS) -> AsyncIterator[Pages]:
    one = Pages(limits)
    runner = web.AppRunner(one.app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    await one.listener.start(runner.server, "127.0.0.1", 0)
    yield one
    await one.close()
    await runner.cleanup()


@pytest.mark.parametrize(("limits", "limit"), [((10, 2), "of_one"), ((2, 2), "connections")])
async def test_one_more_than_may_be_is_told_503_and_those_before_are_served(
    limits: tuple[int, int], limit: str
) -> None:
    async with pages(ConnectionLimits(*limits)) as one:
        first, second = await one.client(), await one.client()
        assert [await first.status(), await second.status()] == [200, 200]
        third = await one.client()

        assert (await third.reader.read()).startswith(b"HTTP/1.1 503 ")
        assert [await first.status(), await second.status()] == [200, 200]
        assert one.metric("connections_refused_total", limit=limit) == 1
        assert one.metric("connections") == 2
        assert one.metric("requests_total") == 4


async def test_what_one_client_may_have_leaves_room_for_others() -> None:
    async with pages(ConnectionLimits(connections=10, of_one=1)) as one:
        own, other = await one.client(), await one.client(OTHER)
        assert [await own.status(), await other.status()] == [200, 200]


async def test_a_connection_that_is_closed_makes_room() -> None:
    async with pages(ConnectionLimits(connections=1, of_one=1)) as one:
        first = await one.client()
        assert await first.status() == 200
        first.writer.close()
        await eventually(lambda: one.metric("connections") == 0)

        assert await (await one.client()).status() == 200


@pytest.mark.parametrize(("sent", "told"), [(b"", b""), (GET[:20], b"HTTP/1.1 408 ")], ids=["nothing", "half a head"])
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_head_that_does_not_come_ends_its_connection(sent: bytes, told: bytes, *, is_first: bool) -> None:
    async with pages() as one:
        client = await one.client()
        if not is_first:
            assert await client.status() == 200
        client.writer.write(sent)
        # What another one sent later is answered: so this has come.
        assert await (await one.client(OTHER)).status() == 200
        longest = LIMITS.head_seconds if sent or is_first else LIMITS.idle_seconds

        await one.look(longest - 1)
        assert one.metric("connections") == 2
        await one.look(longest + 1)

        assert (await client.reader.read()).startswith(told)
        reason = "head_timeout" if sent or is_first else "idle"
        assert one.metric("connections_ended_total", reason=reason) >= 1


async def test_an_answer_in_the_making_is_waited_for() -> None:
    async with pages() as one:
        client = await one.client()
        answer = asyncio.create_task(client.status(b"slow"))
        await eventually(lambda: one.metric("requests_total") == 1)

        await one.look(1_000)
        one.let_go.set()

        assert await answer == 200


async def test_a_client_that_does_not_read_is_ended() -> None:
    async with pages() as one:
        client = await one.client(receive_buffer=4096)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport of sockets has it
        client.writer.write(GET % b"large")
        await eventually(lambda: one.metric("requests_total") == 1)

        await one.look(0)
        await one.look(LIMITS.unread_seconds - 1)
        assert one.metric("connections") == 1
        await one.look(LIMITS.unread_seconds + 1)

        await eventually(lambda: one.metric("connections") == 0)
        assert one.metric("connections_ended_total", reason="unread") == 1


async def test_nobody_is_let_in_after_the_stop() -> None:
    async with pages() as one:
        port = one.listener.port
        await one.listener.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
