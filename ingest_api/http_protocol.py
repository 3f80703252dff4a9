"""HTTP as the server reads it, with a bound on a request's head."""

from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest_api import problems

MAX_HEAD_BYTES: Final = 64 * 1024
"""Far above any head that is meant: the longest query of ours has 5 KiB."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """The server's own protocol keeps a head of any size (measured: 25 MB of short headers took 400 MB).

    What it refuses by itself, before there is a request, is a problem here as well.
    """

    _head_bytes = 0
    _in_head = False

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
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "http_malformed", msg)

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        body = problems.simple(status, code, detail).model_dump_json(exclude_none=True).encode()
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
