"""HTTP as the server reads it, with a bound on a request's head; offers to speak another protocol are ignored."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
)
from uvicorn import Config
from uvicorn.server import ServerState

from service import problems
from service.connections.guarded_protocol import GuardedProtocol, answer_of
from service.request_target import explain_target
from service.web.hosts import ALL, AllowedHosts, is_for_operators, refused_host

MAX_HEAD_BYTES: Final = 64 * 1024
"""Far above any head that is meant: the longest query of ours has 5 KiB. A chunked body's trailers have as many."""
MAX_HEADERS: Final = 256
"""Each costs many times its bytes."""

_IN_WORDS: Final = {"Pause on PRI/Upgrade": "HTTP/2 is not spoken here"}
"""What the parser says, where it is of no use to a client."""

PARTING_SECONDS: Final = 1.0
"""So long a stop waits for what the client of an idle connection may be sending at this moment."""


class BoundedHttpProtocol(GuardedProtocol):
    """The server's own protocol keeps a head of any size (measured: 25 MB of short headers took 400 MB).

    Here a target above the bound is 414, another head above it 431, and so are trailers; one that does not end is
    refused soon after the bound. Trailers are read and dropped: the server's own protocol takes them for headers.

    What it refuses by itself, before there is a request, is a problem here as well. So is a request for another host.
    """

    hosts = AllowedHosts((ALL,), "")
    """Whom requests may be for. Of the class: a process has one server."""

    _head_bytes = 0
    """Of the head that is being read, without the piece of data in which it began; or between a body's chunks."""
    _may_be_long = False
    """Whether any head of this connection could be too long: then each is measured, and most never are."""
    _malformed: problems.Problem | None = None
    is_parting = False
    """The next answer is the last."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = _UpgradeIgnoringParser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server's own
        super().connection_made(transport)
        if self.guard.is_stopping:
            self.shutdown()

    def shutdown(self) -> None:
        """Called when a stop begins, once all is answered that was read: what is on its way is still answered.

        The server closes an idle connection at once: a client that has sent just then never hears what became of it.
        """
        if self.is_parting or not (self.cycle is None or self.cycle.response_complete):
            super().shutdown()
            return
        self.is_parting = True
        if isinstance(self.parser, _UpgradeIgnoringParser):
            self.parser.part()
        self.loop.call_later(PARTING_SECONDS, self.shutdown)

    def _read(self, data: bytes) -> None:
        if self._in_head:
            self._read_on_in_head(data)
            return
        super()._read(data)

    def _read_on_in_head(self, data: bytes) -> None:
        self._may_be_long = True
        self._head_bytes += len(data)
        if not self._in_chunks and not self._wait_for(len(data)):
            return
        super()._read(data)
        if not self._in_head:
            self._wait_no_more()
        elif not self._is_bounded() and not self.transport.is_closing():
            self._answer_problem(self._too_long())

    def _is_bounded(self) -> bool:
        return self._head_bytes <= MAX_HEAD_BYTES and len(self.headers) <= MAX_HEADERS

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            # The parser passes over the body and reports the end of the message: the head comes again, without it.
            return
        self._in_head = False
        if self._may_be_long and not self._fits():
            # The parser stops, and the server has this answered.
            self._malformed = self._too_long()
            raise HttpParserError(self._malformed.detail)
        for name, value in self.headers:
            if name == b"host" and not self.hosts.allows(value) and not is_for_operators(self.url, value):
                self._malformed = refused_host(value)
                raise HttpParserError(self._malformed.detail)
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """What follows is a chunk, or trailers: these are headers to the parser, and dropped here."""
        self._in_chunks = self._in_head = True
        self._head_bytes = 0
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            if self._in_chunks:
                self._in_chunks = self._in_head = False
            super().on_message_complete()

    def head_without_upgrade(self) -> bytes | None:
        """The head that was just read, as if it had not offered an upgrade; None for CONNECT, which is refused."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            detail = "CONNECT is not supported"
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail)
            return None
        lines = [b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _fits(self) -> bool:
        """Whether the head that was read is within the bound."""
        lines = sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        size = len(self.url) + len("GET  HTTP/1.1\r\n\r\n") + lines
        return size <= MAX_HEAD_BYTES and len(self.headers) <= MAX_HEADERS

    def _too_long(self) -> problems.Problem:
        """The problem about a head that is too long: of its target, where that alone is."""
        if len(self.url) > MAX_HEAD_BYTES:
            detail = (
                f"the request's target has more than {MAX_HEAD_BYTES} bytes; POST /v1/actions takes actions in its body"
            )
            return problems.problem(HTTPStatus.REQUEST_URI_TOO_LONG, "target_too_long", detail)
        what = "body's trailers have" if self._in_chunks else "head has"
        detail = f"the request's {what} more than {MAX_HEAD_BYTES} bytes, or than {MAX_HEADERS} headers"
        return problems.problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", detail)

    def note_malformed(self, error: HttpParserError, data: bytes) -> None:
        """What the parser does not take, before the server answers; `data`: in which it lies."""
        if isinstance(error, HttpParserInvalidURLError):
            self._malformed = explain_target(data)
        elif not isinstance(error, HttpParserCallbackError):
            why = _IN_WORDS.get(str(error), error)
            self._malformed = problems.problem(
                HTTPStatus.BAD_REQUEST, "http_malformed", f"the request is no HTTP/1.1: {why}"
            )

    def send_400_response(self, msg: str) -> None:
        self._answer_problem(self._malformed or problems.problem(HTTPStatus.BAD_REQUEST, "http_malformed", msg))

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        self._answer_problem(problems.problem(status, code, detail))

    def _answer_problem(self, problem: problems.Problem) -> None:
        self._in_head = False
        self.refuse(answer_of(problem))


class _UpgradeIgnoringParser(HttpRequestParser):
    """Reads a request that offers an upgrade as one that does not: RFC 9110 7.8 lets a server ignore the offer.

    The package's own parser takes whatever follows the head for the other protocol: the body would be lost, and what
    comes later would be read as a request of its own. Each JDK client offers HTTP/2 so on `http://`.
    """

    def __init__(self, protocol: BoundedHttpProtocol) -> None:
        super().__init__(protocol)
        # As the server sets its own: what follows on the last request of a connection is no error.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._protocol = protocol
        if protocol.is_parting:
            self.part()

    def part(self) -> None:
        """No connection is kept any more, whatever its client offers."""
        # Of the instance: while nobody stops, a request costs nothing more.
        self.should_keep_alive = _never  # type: ignore[method-assign] # as above

    def feed_data(self, data: bytes | memoryview) -> None:  # type: ignore[override] # the server feeds bytes
        try:
            try:
                super().feed_data(data)
            except HttpParserUpgrade as offer:
                self._read_on(memoryview(data)[offer.args[0] :])
        except HttpParserError as error:
            self._protocol.note_malformed(error, bytes(data))
            raise

    def _read_on(self, rest: memoryview) -> None:
        """Many requests in one piece of data may offer one: hence a loop, and no copies.

        Each time with a parser of its own: one that has met the last request of a connection reads nothing more.
        """
        while (head := self._protocol.head_without_upgrade()) is not None:
            parser = self._protocol.parser = _UpgradeIgnoringParser(self._protocol)
            HttpRequestParser.feed_data(parser, head)
            try:
                HttpRequestParser.feed_data(parser, rest)
            except HttpParserUpgrade as offer:
                rest = rest[offer.args[0] :]
            else:
                return


def _never() -> bool:
    return False
