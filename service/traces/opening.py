"""Opening a process's traces, where its settings ask for them: nothing of OpenTelemetry's SDK is imported elsewhere."""

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from service.traces.settings import TraceSettings
from service.traces.span import Tracer

_DISABLED: Final = "OTEL_SDK_DISABLED"
"""OpenTelemetry's own variable for the same."""


class ProcessTraces(NamedTuple):
    """What makes a process's spans."""

    tracer: Tracer
    close: Callable[[], None]
    """Returns once the last spans are sent or given up, within a few seconds; blocks."""


def open_traces(settings: TraceSettings, service: str) -> ProcessTraces | None:
    """None where they are off; `service` names the process where OTEL_SERVICE_NAME does not."""
    if settings.traces == "off" or os.environ.get(_DISABLED, "").strip().lower() == "true":
        return None
    from service.traces.sender import SpanSender  # noqa: PLC0415 - the SDK takes time and memory

    sender = SpanSender(service)
    return ProcessTraces(sender.tracer, sender.close)
