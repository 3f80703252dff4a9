"""Connections to a worker's pages, with bounds.

aiohttp takes any number of them, and lets each wait for an hour for a request, or for ever for its client to read.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.connections.guard import Guard
from service.connections.guarded_protocol import answer_of
from service.connections.limits import ConnectionLimits
from service.problems import problem

LIMITS: Final = ConnectionLimits(connections=256, of_one=64)
"""Probes and Prometheus take one each."""


class BoundedConnection(web.RequestHandler):
    """What aiohttp's own does, within the bounds of a guard."""

    def __init__(self, server: web.Server, guard: Guard, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=None)  # type: ignore[arg-type] # as aiohttp's runners do
        self._guard = guard
        self._now = loop.time
        self._peer = ""
        self._is_admitted = False
        self._answering = self._answered = 0
        self._in_head = False
        """Whether something came since the last request."""
        self._since = loop.time()
        """It waits for a request, or for the rest of one's head."""
        self._unread = self._answered_before = 0
        self._unread_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._peer = (transport.get_extra_info("peername") or ("",))[0]
        self._guard.connections.add(self)  # type: ignore[arg-type] # the guard looks at whatever can be looked at
        if self._guard.admit(self._peer) is None:
            self._is_admitted = True
            super().connection_made(transport)
        else:
            detail = "there are too many connections; try again later, or use fewer"
            self._tell_and_close(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", detail)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._guard.connections.discard(self)
        if self._is_admitted:
            self._guard.leave(self._peer)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not (self._in_head or self._answering):
            self._in_head, self._since = True, self._now()
        super().data_received(data)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around a request whose head has come."""
        self._guard.total_requests += 1
        self._answering, self._in_head = self._answering + 1, False
        try:
            yield
        finally:
            self._answering, self._answered, self._since = self._answering - 1, self._answered + 1, self._now()

    def look(self, now: float) -> int:
        """Ends itself if it has taken too long; bytes that its client has not read yet."""
        unread: int = self._wire.get_write_buffer_size()
        if self._is_unread_too_long(unread, now):
            self.give_up("unread")
            return 0
        if not (self._answering or self._wire.is_closing()):
            self._end_if_late(now)
        return unread

    def give_up(self, reason: str) -> None:
        """Ends itself at once, whatever was not sent yet."""
        self._guard.end(reason, self._peer)
        self._wire.abort()

    def _is_unread_too_long(self, unread: int, now: float) -> bool:
        if not self._unread or unread < self._unread or self._answered != self._answered_before:
            self._unread_since = now
        self._unread, self._answered_before = unread, self._answered
        return unread > 0 and now - self._unread_since >= self._guard.limits.unread_seconds

    def _end_if_late(self, now: float) -> None:
        limits = self._guard.limits
        is_idle = self._answered and not self._in_head
        longest = limits.idle_seconds if is_idle else limits.head_seconds
        if now - self._since < longest:
            return
        self._guard.end("idle" if is_idle else "head_timeout", self._peer)
        if self._in_head:
            detail = f"the request's head did not come within {longest:g} s"
            self._tell_and_close(HTTPStatus.REQUEST_TIMEOUT, "head_too_slow", detail)
        else:
            self.force_close()

    def _tell_and_close(self, status: HTTPStatus, code: str, detail: str) -> None:
        self._wire.write(answer_of(problem(status, code, detail)))
        self._wire.close()
        self.force_close()


class BoundedListener:
    """Takes connections of a server of aiohttp's, in place of its site."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def start(self, server: web.Server, host: str, port: int) -> None:
        """Listens from now on. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: BoundedConnection(server, self._guard, loop), host, port)
        self._watching = loop.create_task(self._guard.watch(lambda: None))

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Takes no more. Those that are open are the server's to close."""
        self._listening.close()
        self._watching.cancel()
