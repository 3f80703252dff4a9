"""The worker's settings, from the environment."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from kafka_log.settings import KafkaSettings
from service.settings import EventSettings, ServiceSettings
from service.traces.settings import TraceSettings
from stores.settings import StoreSettings

_NONE: Final = timedelta(0)


class WorkerSettings(ServiceSettings, EventSettings, KafkaSettings, StoreSettings, TraceSettings):
    """The settings of one worker."""

    port: int = Field(8083, ge=1, le=65_535, description="Port to listen on")

    rejected_topic: str = Field("actions.rejected", description="The topic that rejected lines go to")
    consumer_group: str = Field("stream-workers", description="The consumer group of all workers")

    worker_flush_interval: timedelta = Field(
        timedelta(seconds=0.5), gt=_NONE, description="Maximum time a record waits before a flush begins"
    )
    worker_flush_lines: Annotated[int, Field(ge=1)] = Field(
        # Beside the hand-written loop in the same call: 0.88 to 1.00 x with 50,000, 1.06 to 1.15 x with 75,000.
        75_000,
        description="Number of lines that begins a flush at once; reading stops at twice as many",
    )
    worker_flush_windows: Annotated[int, Field(ge=1)] = Field(
        20_000,
        description="Number of windows (an hour of a partition) with new lines that begins a flush at once; reading "
        "stops at twice as many",
    )
    worker_window_memory: Annotated[int, Field(ge=1)] = Field(
        512 * 1024 * 1024,
        description="Memory limit for windows, in bytes; soft by one flush; what is known of other hours takes at most "
        "an eighth more",
    )
    worker_buffered_records: Annotated[int, Field(ge=1)] = Field(
        1024, description="Maximum records in the worker's queue; as many again are decoded ahead"
    )
    worker_buffered_bytes: Annotated[int, Field(ge=1)] = Field(
        4 * 1024 * 1024, description="Maximum bytes of these records together; soft by one record"
    )
    worker_metadata_refresh: timedelta = Field(
        timedelta(seconds=5), gt=_NONE, description="How soon added partitions are noticed"
    )
    worker_session_timeout: timedelta = Field(
        timedelta(seconds=7), gt=_NONE, description="A worker that is silent for this long loses its partitions"
    )
    worker_release_timeout: timedelta = Field(
        timedelta(seconds=5), gt=_NONE, description="How long a rebalance waits for the flush of what was folded"
    )
    worker_drain_timeout: timedelta = Field(
        timedelta(seconds=20),
        gt=_NONE,
        description="Bound on a clean stop; keep it shorter than the orchestrator's grace period",
    )
