"""A collector of spans in this process: OTLP over HTTP, read with OpenTelemetry's own messages."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collected(NamedTuple):
    """A span as it arrived; ids in hexadecimal, no parent as an empty text."""

    service: str
    scope: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    links: list[tuple[str, str]]
    attributes: dict[str, Any]
    status: int


class OtlpCollector:
    """As a context manager it listens; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 200
        self.spans: list[Collected] = []
        self.requests = 0
        self._arrived = threading.Condition()

    @property
    def endpoint(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def named(self, name: str) -> list[Collected]:
        return [span for span in self.spans if span.name == name]

    def wait(self, *names: str, within: float = 60) -> None:
        """Returns once there is a span of each name."""
        with self._arrived:
            there = self._arrived.wait_for(lambda: all(map(self.named, names)), within)
        assert there, f"of {names} only {[span.name for span in self.spans]} came"

    def wait_for_requests(self, number: int, within: float = 60) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.requests >= number, within)

    def __enter__(self) -> Self:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                plain = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
                status = collector.status
                # Before it answers: who closes once all is answered looks at the spans at once.
                collector.take(ExportTraceServiceRequest.FromString(plain), status)
                self.send_response(status)
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

    def take(self, request: ExportTraceServiceRequest, status: int) -> None:
        with self._arrived:
            self.requests += 1
            if status == 200:
                self.spans += _spans_in(request)
            self._arrived.notify_all()


def _spans_in(request: ExportTraceServiceRequest) -> list[Collected]:
    return [
        Collected(
            _values(of_process.resource.attributes)["service.name"],
            of_scope.scope.name,
            span.name,
            span.kind,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
            _values(span.attributes),
            span.status.code,
        )
        for of_process in request.resource_spans
        for of_scope in of_process.scope_spans
        for span in of_scope.spans
    ]


def _values(attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - a list of messages that has no types
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
