"""Spans on their way out: a collector that is away costs the spans, and two log lines."""

import logging
from collections.abc import Sequence
from typing import Final, cast

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from service.traces.encoding import SpanEncoder
from service.traces.span import Span

logger = logging.getLogger(__name__)

_NOISY: Final = ("opentelemetry.exporter.otlp", "opentelemetry.sdk._shared_internal", "opentelemetry.trace.span")
"""What says for each batch, or each span, that it was not sent; and, in the sender's own bytes, that a header of his is
malformed."""


class EncodedExporter(OTLPSpanExporter):
    """Sends our own spans by OpenTelemetry's HTTP client, with its variables.

    It has no metrics, and no bound on a request: a queue's batch stays far below it.
    """

    def __init__(self, encoder: SpanEncoder) -> None:
        """OTEL_EXPORTER_OTLP_* say where to, and how."""
        super().__init__()
        self._encoder = encoder

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        sent = self._client.export(self._encoder.encode(cast("Sequence[Span]", spans)))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE


class ToldOnce(SpanExporter):
    """Says in the log when spans can no longer be sent, and when they can again; nothing for each batch between."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Of one process: it silences the packages beneath."""
        self._exporter = exporter
        self._fails = False
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:
            # The thread that sends says nothing of it: see _NOISY.
            logger.exception("spans could not be encoded or sent: an error in this program")
            return SpanExportResult.FAILURE
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            logger.warning(
                "spans cannot be sent to where OTEL_EXPORTER_OTLP_ENDPOINT says: they are dropped until they can"
            )
        elif self._fails and not fails:
            logger.info("spans are sent again")
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
