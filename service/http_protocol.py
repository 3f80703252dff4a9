"""HTTP as the server reads it, with a bound on a request's head; offers to speak another protocol are ignored."""

import asyncio
import sys
from http import HTTPStatus
from typing import Any, Final

from httptools import HttpParserCallbackError, HttpParserUpgrade, HttpRequestParser
from uvicorn import Config
from uvicorn.server import ServerState

from service import problems
from service.last_answer import LastAnswerProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Far above any head that is meant: the longest query of ours has 5 KiB."""

_IN_WORDS: Final = {"Pause on PRI/Upgrade": "HTTP/2 is not spoken here"}
"""What the parser says, where it is of no use to a client."""


class BoundedHttpProtocol(LastAnswerProtocol):
    """The server's own protocol keeps a head of any size (measured: 25 MB of short headers took 400 MB).

    What it refuses by itself, before there is a request, is a problem here as well.
    """

    _head_bytes = 0
    _in_head = False

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = _UpgradeIgnoringParser(self)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            # A head may be larger by the piece of data in which it began.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                detail = f"the request's head has more than {MAX_HEAD_BYTES} bytes"
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", detail)
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            # The parser passes over the body and reports the end of the message: the head comes again, without it.
            return
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
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

    def send_400_response(self, msg: str) -> None:
        error = sys.exception()
        # An error in a callback speaks of this program.
        why = msg if error is None or isinstance(error, HttpParserCallbackError) else str(error)
        why = _IN_WORDS.get(why, why)
        self._refuse(HTTPStatus.BAD_REQUEST, "http_malformed", f"this is no request of HTTP/1.1: {why}")

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        self._in_head = False
        body = problems.problem(status, code, detail).model_dump_json(exclude_none=True).encode()
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.refuse(head.encode() + body)


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

    def feed_data(self, data: bytes | memoryview) -> None:  # type: ignore[override] # the server feeds bytes
        try:
            super().feed_data(data)
        except HttpParserUpgrade as offer:
            self._read_on(memoryview(data)[offer.args[0] :])

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
