"""What a worker with traces has in place of what the others have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from service.traces.opening import ProcessTraces
from stream_workers.settings import WorkerSettings
from stream_workers.traces.flushes import FlushTraces
from stream_workers.traces.records import RecordTraces


@dataclass(frozen=True, slots=True)
class WorkerTraces:
    """The spans of one worker."""

    records: RecordTraces
    flushes: FlushTraces
    close: Callable[[], None]
    """As ProcessTraces has it."""

    @classmethod
    def of(cls, settings: WorkerSettings, process: ProcessTraces) -> Self:
        """Wired once."""
        records = RecordTraces(process.tracer, settings.topic, settings.consumer_group)
        return cls(records, FlushTraces(process.tracer, records), process.close)
