"""How the server ends a connection: what was read is answered first, and the client gets to read the answers."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from httptools import HttpRequestParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LINGER_SECONDS: Final = 5.0
"""So long a client may go on sending after the last answer."""


class LastAnswerProtocol(HttpToolsProtocol):
    """What the server's own protocol does otherwise.

    It writes a refusal at once: the client takes it for the answer to an earlier request, which is counted all the
    same. It closes while the client still sends: the system then throws away what the client has not read yet. It keeps
    a connection whose client may or may not send the body that it was never told to send. Where a connection is lost it
    tells the request that was read last, not the one that is being answered while others wait behind it.
    """

    _running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server's own
        super().connection_made(transport)
        self._for_cycles = cast("asyncio.Transport", _ClosesGently(transport, self._end))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def refuse(self, answer: bytes) -> None:
        """Ends the connection with this answer to what cannot be read, after the answers to what was read before."""
        self.parser = cast("HttpRequestParser", _Deaf())
        is_first = self.cycle is None or self.cycle.response_complete or self._gave_up_the_first()
        last = _LastAnswer(lambda: self._end_with(answer))
        self.cycle = cast("RequestResponseCycle", last)
        if is_first:
            last.write()
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _gave_up_the_first(self) -> bool:
        """A request whose body breaks off is not answered; whether it was the first of those that are not."""
        if not self._is_body_missing():
            return False
        self.cycle.disconnected = True
        self.cycle.waiting_for_100_continue = False
        self.cycle.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()
            return False
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override] # likewise
        cycle.transport = self._for_cycles
        self._running = cycle if isinstance(cycle, RequestResponseCycle) else None
        super()._start_asgi_task(cycle, _closing_if_unread(cycle, app) if cycle.waiting_for_100_continue else app)  # type: ignore[arg-type] # likewise

    def _end(self) -> None:
        if self._is_body_missing():
            self._end_with(b"")
        else:
            self.transport.close()

    def _end_with(self, answer: bytes) -> None:
        self.parser = cast("HttpRequestParser", _Deaf())
        self.pipeline.clear()
        self.flow.resume_reading()
        self.transport.write(answer)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _is_body_missing(self) -> bool:
        return isinstance(self.cycle, RequestResponseCycle) and self.cycle.more_body


def _closing_if_unread(cycle: RequestResponseCycle, app: ASGIApp) -> ASGIApp:
    """For a request that waits to be told to send its body: answered otherwise, it may send it or its next request."""

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if cycle.waiting_for_100_continue and cycle.more_body:
                cycle.keep_alive = False
            await send(message)

        await app(scope, receive, send_last)

    return closing


class _Deaf:
    """Stands where the server keeps its parser, once nothing more is read."""

    def feed_data(self, data: bytes) -> None:
        """Ignores it."""


class _ClosesGently:
    """A transport as the server's RequestResponseCycle uses one."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class _LastAnswer:
    """Stands where the server keeps its RequestResponseCycle, under that one's names."""

    keep_alive = False
    disconnected = False
    waiting_for_100_continue = False
    response_complete = False

    def __init__(self, write: Callable[[], None]) -> None:
        self.message_event = asyncio.Event()
        self.transport: asyncio.Transport | None = None
        self._write = write

    async def run_asgi(self, _app: ASGIApp) -> None:
        """Its turn has come."""
        self.write()

    def write(self) -> None:
        self.response_complete = True
        if not self.disconnected:
            self._write()
