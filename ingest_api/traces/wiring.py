"""What a process with traces has in place of what the others have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ingest_api.settings import IngestSettings
from ingest_api.traces.record import RecordSpans
from ingest_api.traces.requests import RequestTraces
from service.traces.opening import ProcessTraces


@dataclass(frozen=True, slots=True)
class IngestTraces:
    """The spans of one API process."""

    requests: RequestTraces
    records: RecordSpans
    close: Callable[[], None]
    """As ProcessTraces has it."""

    @classmethod
    def of(cls, settings: IngestSettings, process: ProcessTraces) -> Self:
        """Wired once."""
        return cls(
            RequestTraces(process.tracer, settings.sampling),
            RecordSpans(process.tracer, settings.topic),
            process.close,
        )
