"""The reader's settings: the store's, and its own."""

from datetime import timedelta
from typing import Final

from pydantic import Field

from kafka_log.settings import KafkaSettings
from service.settings import HttpSettings
from stores.settings import StoreSettings

_NONE: Final = timedelta(0)


class ReadingSettings(HttpSettings, KafkaSettings, StoreSettings):
    """What all have in common that read hours: the reader, and the keeper of `hours`."""

    aggregator_final_margin: timedelta = Field(
        timedelta(seconds=5), ge=_NONE, description="An hour is final once complete through its end and this margin"
    )
    aggregator_ends_max_age: timedelta = Field(
        timedelta(milliseconds=200),
        ge=_NONE,
        description="How long end offsets are shared between requests",
    )
    aggregator_kafka_timeout: timedelta = Field(
        timedelta(seconds=1),
        gt=_NONE,
        description="Time limit for reading the end offsets; then answers do not say how complete they are",
    )
    aggregator_kafka_retry: timedelta = Field(
        timedelta(seconds=2),
        ge=_NONE,
        description="How long after a failed read of the end offsets none is tried again",
    )
    aggregator_store_timeout: timedelta = Field(
        timedelta(seconds=10), gt=_NONE, description="Time limit for a read from the store; then the answer is 503"
    )
    aggregator_drain_timeout: timedelta = Field(
        timedelta(seconds=15), gt=_NONE, description="Time limit for requests in flight after SIGTERM"
    )


class AggregatorSettings(ReadingSettings):
    """The settings of one reader."""

    port: int = Field(8082, ge=0, le=65_535, description="Port to listen on")

    aggregator_renewal: timedelta = Field(
        timedelta(milliseconds=250),
        ge=_NONE,
        description="How long a cached answer for the current hour, or the one before, is given before it is refreshed",
    )
    aggregator_max_age: timedelta = Field(
        timedelta(milliseconds=500),
        ge=_NONE,
        description="Cached answers of this age are not given: readers wait for a new one; 0: no caching",
    )
    aggregator_probe_timeout: timedelta = Field(
        timedelta(seconds=1), gt=_NONE, description="How long /readyz waits for the store"
    )
    aggregator_span_memory_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1024 * 1024,
        description="Memory that counting the unique users of a span may take; a span with more is read several times",
    )
    aggregator_spans: int = Field(
        16, ge=1, description="Spans of hours (/v1/hours, /v1/days, /v1/totals) that are read at a time; then 503"
    )
    aggregator_client_spans: int = Field(
        8, ge=1, description="How many of these one key may ask for, or one client address where there are no keys"
    )
