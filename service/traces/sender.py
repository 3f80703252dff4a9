"""The SDK: a process's spans are sent in the background, and given up soon where nobody takes them."""

import logging
import threading
import uuid
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer

from service.traces.exporter import ToldOnce

logger = logging.getLogger(__name__)

_PRODUCT: Final = "user-actions-collector"
CLOSE_SECONDS: Final = 3.0
"""So long at most a stop waits for the last spans."""


class SpanSender:
    """Opened once, at the start of a process.

    Whoever makes a span has decided before that it is recorded, see Sampling. A queue of bounded length
    (OTEL_BSP_MAX_QUEUE_SIZE) lies between the tracer and the thread that sends: what it has no room for is dropped.
    """

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        """`service` names it where OTEL_SERVICE_NAME does not; OTEL_EXPORTER_OTLP_* say where, without `exporter`."""
        self._provider = TracerProvider(ALWAYS_ON, _resource(service), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(ToldOnce(exporter or OTLPSpanExporter())))
        self.tracer: Tracer = self._provider.get_tracer(_PRODUCT, version(_PRODUCT))

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Returns once all spans that have ended are sent or given up, or after `seconds`; blocks."""
        # The package's own bound is 30 s, and the thread that sends may wait for an answer for 10.
        closing = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(seconds)
        if closing.is_alive():
            logger.warning("the last spans were not taken within %.0f s: they are lost", seconds)


def _resource(service: str) -> Resource:
    of_us = {SERVICE_VERSION: version(_PRODUCT), SERVICE_INSTANCE_ID: str(uuid.uuid4())}
    found = Resource(of_us).merge(Resource.create())
    is_named = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if is_named else found.merge(Resource({SERVICE_NAME: service}))
