"""The SDK: a process's spans are sent in the background, and given up soon where nobody takes them."""

import logging
import threading
import uuid
from importlib.metadata import version
from typing import Final, cast

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from service.traces.encoding import SpanEncoder
from service.traces.exporter import EncodedExporter, ToldOnce
from service.traces.span import Span, Tracer

logger = logging.getLogger(__name__)

_PRODUCT: Final = "user-actions-collector"
CLOSE_SECONDS: Final = 3.0
"""So long at most a stop waits for the last spans."""


class SpanSender:
    """Opened once, at the start of a process.

    Whoever makes a span has decided before that it is recorded, see Sampling. A queue of bounded length
    (OTEL_BSP_MAX_QUEUE_SIZE) lies between the tracer and the thread that sends: what it has no room for is dropped.
    """

    def __init__(self, service: str) -> None:
        """`service` names it where OTEL_SERVICE_NAME does not; OTEL_EXPORTER_OTLP_* say where spans go."""
        encoder = SpanEncoder(_resource(service), InstrumentationScope(_PRODUCT, version(_PRODUCT)))
        self._queue = BatchSpanProcessor(ToldOnce(EncodedExporter(encoder)))
        self.tracer = Tracer(self._take)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Returns once all spans that have ended are sent or given up, or after `seconds`; blocks."""
        # The package's own bound is 30 s, and the thread that sends may wait for an answer for 10.
        closing = threading.Thread(target=self._queue.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(seconds)
        if closing.is_alive():
            logger.warning("the last spans were not taken within %.0f s: they are lost", seconds)

    def _take(self, span: Span) -> None:
        # It looks at the context, and hands the span on to the exporter as it is.
        self._queue.on_end(cast("ReadableSpan", span))


def _resource(service: str) -> Resource:
    of_us = {SERVICE_VERSION: version(_PRODUCT), SERVICE_INSTANCE_ID: str(uuid.uuid4())}
    found = Resource(of_us).merge(Resource.create())
    is_named = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if is_named else found.merge(Resource({SERVICE_NAME: service}))
