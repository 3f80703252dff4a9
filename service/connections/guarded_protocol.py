"""A connection that keeps the bounds of its process."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn import Config
from uvicorn.server import ServerState

from service.connections.guard import Guard
from service.last_answer import LastAnswerProtocol
from service.problems import MEDIA_TYPE, RETRY_AFTER, Problem, problem

PIECE: Final = 1024
"""So many bytes are read at a time where they may hold many requests: as few as these wait, parsed, for their turn."""
_PIECES_IN_TURN: Final = 16
"""Of one request; then other connections have their turn: small chunks take long to parse, too."""
_NEVER: Final = object()


class GuardedProtocol(LastAnswerProtocol):
    """What the server's own protocol does otherwise.

    It takes any number of connections, lets them wait for ever, for a head or for the client to read, and parses as
    many requests as come in one piece of data, before the first of them is answered.

    Nothing here is done for a request: how long something takes is seen by looking at all connections once a second.
    """

    _in_head = False
    _in_chunks = False
    _is_admitted = False
    _held = b""
    """What came after requests that wait for their turn; not parsed yet."""
    _reads_soon = False
    _waiting = 0
    """Bytes of this connection that the guard counts as waiting."""
    _mark: object = _NEVER
    """What the connection waited for when it was looked at last."""
    _since = 0.0
    _unread = 0
    _unread_since = 0.0
    _has_drained = False

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.guard = server_state if isinstance(server_state, Guard) else Guard()
        self._body_of: object = _NEVER
        self._body_bytes = 0

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server's own
        super().connection_made(transport)
        if self.guard.admit(self._peer) is None:
            self._is_admitted = True
            return
        detail = "there are too many connections; try again later, or use fewer"
        self._refuse_connection(problem(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", detail))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._held = b""
        self._wait_no_more()
        if self._is_admitted:
            self.guard.leave(self._peer)
        else:
            self.guard.refused -= 1

    def _refuse_connection(self, told: Problem) -> None:
        may_stay = self.guard.may_read_why()
        self.guard.refused += 1
        self.refuse(answer_of(told))
        if not may_stay:
            self.transport.close()

    # How long it takes

    def look(self, now: float) -> int:
        """Ends itself if it has taken too long; bytes that its client has not read yet."""
        unread: int = self.transport.get_write_buffer_size()
        if self._is_unread_too_long(unread, now):
            self.give_up("unread")
            return 0
        if not self.transport.is_closing():
            self._end_if_late(now)
        return unread

    def give_up(self, reason: str) -> None:
        """Ends itself at once, whatever was not sent yet."""
        self.guard.end(reason, self._peer)
        self.transport.abort()

    def resume_writing(self) -> None:
        self._has_drained = True
        super().resume_writing()

    def _is_unread_too_long(self, unread: int, now: float) -> bool:
        if not self._unread or unread < self._unread or self._has_drained:
            self._unread_since = now
        self._unread, self._has_drained = unread, False
        return unread > 0 and now - self._unread_since >= self.guard.limits.unread_seconds

    def _end_if_late(self, now: float) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._mark = _NEVER
            return
        # Each request has a list of its own: where it is the same one, nothing has come to an end.
        if self._mark is not self.headers:
            self._mark, self._since = self.headers, now
            return
        limits = self.guard.limits
        is_begun = self._in_head and not self._in_chunks
        longest = limits.head_seconds if is_begun or self.cycle is None else limits.idle_seconds
        if now - self._since < longest:
            return
        self.guard.end("head_timeout" if is_begun or self.cycle is None else "idle", self._peer)
        if is_begun:
            detail = f"the request's head did not come within {longest:g} s"
            self.refuse(answer_of(problem(HTTPStatus.REQUEST_TIMEOUT, "head_too_slow", detail)))
        else:
            self.transport.close()

    # How much of it waits

    def data_received(self, data: bytes) -> None:
        if self._in_head or self._held or len(data) > PIECE:
            self._read_carefully(data)
        else:
            super().data_received(data)

    def _read_carefully(self, data: bytes) -> None:
        if self._held:
            self._hold(self._held + data)
        else:
            self._read_in_pieces(data)

    def _read(self, data: bytes) -> None:
        super().data_received(data)

    def _read_in_pieces(self, data: bytes) -> None:
        """Stops where a request waits for its turn, what follows is not even parsed; and where others are due.

        The system hands over up to 256 KB at once: thousands of requests, which may all be answered as they are read.
        """
        rest, pieces, begun = memoryview(data), 0, 0
        while rest and self.parser is not None and not self.transport.is_closing():
            if self.pipeline:
                self._hold(bytes(rest))
                return
            request, size = self.scope, max(PIECE, self._body_to_come())
            self._read(rest[:size])  # type: ignore[arg-type] # the parser takes any buffer
            rest, pieces, begun = rest[size:], pieces + 1, begun + (self.scope is not request)
            # A head that is longer than a piece is read on.
            if begun > self._in_head or pieces == _PIECES_IN_TURN:
                if self._gives_way(rest):
                    return
                pieces = begun = 0

    def _gives_way(self, rest: memoryview) -> bool:
        """Whether the rest is read once other connections had their turn. Where memory is short, it is not."""
        if self.pipeline or self._body_to_come() >= len(rest) or self.guard.is_short_of(len(rest)):
            return False
        self._hold(bytes(rest))
        self._read_soon()
        return True

    def _hold(self, data: bytes) -> None:
        if self._wait_for(len(data) - len(self._held)):
            self._held = data
            self.flow.pause_reading()

    def _wait_for(self, size: int) -> bool:
        """Whether so many bytes more may wait; else the connection is ended."""
        if not self.guard.has_room_for(size):
            self.give_up("waiting_bytes")
            return False
        self._waiting += size
        return True

    def _wait_no_more(self) -> None:
        self.guard.waiting_bytes -= self._waiting
        self._waiting = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline or self._held:
            self._go_on()

    def _go_on(self) -> None:
        self.flow.pause_reading()
        if self._held and not self.pipeline:
            # The parser may be the one that is calling.
            self._read_soon()

    def _read_soon(self) -> None:
        if not self._reads_soon:
            self._reads_soon = True
            self.loop.call_soon(self._read_held)

    def _read_held(self) -> None:
        self._reads_soon = False
        if self.pipeline or not self._held:
            return
        held, self._held = self._held, b""
        self._wait_no_more()
        self.flow.resume_reading()
        self._read_in_pieces(held)

    def on_body(self, body: bytes) -> None:
        if self._body_of is not self.headers:
            self._body_of, self._body_bytes = self.headers, 0
        self._body_bytes += len(body)
        super().on_body(body)

    def _body_to_come(self) -> int:
        """So many bytes are surely body: no request can be among them."""
        if self._in_head or self._body_of is not self.headers:
            return 0
        for name, value in self.headers:
            if name == b"content-length":
                return int(value) - self._body_bytes
        return 0


def answer_of(told: Problem) -> bytes:
    """A problem as the last answer on a connection."""
    body = told.model_dump_json(exclude_none=True).encode()
    status = HTTPStatus(told.status)
    retry = "".join(f"{name.lower()}: {value}\r\n" for name, value in RETRY_AFTER.items())
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        f"{retry if status == HTTPStatus.SERVICE_UNAVAILABLE else ''}connection: close\r\n\r\n"
    )
    return head.encode() + body
