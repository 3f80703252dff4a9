"""HTTP as the server reads it, with a way of its own for single actions."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from fastapi import Response
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from ingest_api.http.position import ActionTaken
from service.http_protocol import BoundedHttpProtocol
from service.keys.presented import Headers
from service.logs.request_id import HEADER, is_well_formed

SUBMIT_SINGLE: Final = "submit_single"
"""Where the app's lifespan state has SingleAction.submit."""

_TARGET: Final = re.compile(rb"/analytics\?([A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*)")
"""With nothing in the query but what RFC 3986 allows there."""
_LOOKED_AT: Final = frozenset((b"expect", b"transfer-encoding", b"content-length", b"origin", b"host", HEADER))
_Headers = list[tuple[bytes, bytes]]


class _Nobody:
    """Whom the server tells that a request goes on or has ended."""

    def set(self) -> None:
        """Nobody waits for it."""


class _Exchange:
    """Stands where the server keeps its RequestResponseCycle, under that one's names."""

    __slots__ = ("disconnected", "keep_alive", "query", "request_id", "response_complete")
    message_event = _Nobody()

    def __init__(self, query: bytes, request_id: bytes) -> None:
        self.query = query
        self.request_id = request_id
        """What the client sent as one; empty where it sent none: nothing is logged about such a request."""
        self.keep_alive = True
        """Lowered by the server when it shuts down."""
        self.disconnected = False
        """Raised by the server when the connection is lost."""
        self.response_complete = False
        """While it is not, the server lets later requests of the connection wait."""


class FastPathProtocol(BoundedHttpProtocol):
    """Answers a plain POST of one action by itself: with no scope read, no task, and one write.

    Whatever is not plainly such a request goes the server's usual way to the app: see docs/decisions/fast-paths.md.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._submit: Callable[[bytes, Headers, Callable[[Response], None]], None] = app_state[SUBMIT_SINGLE]

    def on_headers_complete(self) -> None:
        # It runs where an earlier request of the same piece of data is answered already.
        self._unset_keepalive_if_required()
        self._request_id = b""
        target = _TARGET.fullmatch(self.url)
        if target is None or not self._is_plain_post():
            super().on_headers_complete()
            return
        self._in_head = False
        self.cycle = cast("RequestResponseCycle", _Exchange(target[1], self._request_id))

    def on_message_complete(self) -> None:
        exchange = cast("object", self.cycle)
        # Where an upgrade is offered, the exchange is still that of the request before.
        if isinstance(exchange, _Exchange) and not self.parser.should_upgrade():
            self._submit(exchange.query, self.headers, partial(self._answer, exchange))
        else:
            super().on_message_complete()

    def _is_plain_post(self) -> bool:
        parser = self.parser
        return (
            (self.cycle is None or self.cycle.response_complete)
            and (not self._may_be_long or self._fits())
            and not self.flow.write_paused
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and all(name not in _LOOKED_AT or self._is_usual(name, value) for name, value in self.headers)
        )

    def _is_usual(self, name: bytes, value: bytes) -> bool:
        if name == b"host":
            return self.hosts.allows(value)
        if name == HEADER:
            self._request_id = value
            return is_well_formed(value)
        return name == b"content-length" and value == b"0"

    def _answer(self, exchange: _Exchange, response: Response) -> None:
        exchange.response_complete = True
        if exchange.disconnected or self.transport.is_closing():
            return
        end = b"\r\n" if exchange.keep_alive else b"connection: close\r\n\r\n"
        if exchange.request_id:
            end = b"%b: %b\r\n%b" % (HEADER, exchange.request_id, end)
        self.transport.write(_head(response, self.server_state.default_headers) + end + response.body)
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _head(response: Response, own: _Headers) -> bytes:
    """The status line and the headers, of which the server's own are others each second."""
    if not isinstance(response, ActionTaken):
        return _written(response, own)
    # Many answers are about one record: a head costs 1 us to write, and 0.1 us to find again.
    if response.head_with is not own:
        response.head, response.head_with = _written(response, own), own
    return response.head


def _written(response: Response, own: _Headers) -> bytes:
    lines = [b"%b: %b\r\n" % header for header in (*own, *response.raw_headers)]
    return STATUS_LINE[response.status_code] + b"".join(lines)
