"""What takes the spans of a measured process: it says so, and forgets them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from bench.case import WrongResult


class SpanSink:
    """As a context manager it answers OTLP over HTTP, in threads of this process."""

    def __init__(self) -> None:
        self._bytes = 0

    @property
    def environment(self) -> dict[str, str]:
        """For a process that sends 1 % of its spans here."""
        return {
            "COLLECTOR_TRACES": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_address[1]}",
            "OTEL_TRACES_SAMPLER_ARG": "0.01",
        }

    def require_some(self) -> None:
        """Raises WrongResult where no spans came: then nothing was measured."""
        if not self._bytes:
            raise WrongResult("no spans were sent")

    def __enter__(self) -> Self:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Reads all of it."""
                sink.take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, body: bytes) -> None:
        """What a request brought."""
        self._bytes += len(body)
