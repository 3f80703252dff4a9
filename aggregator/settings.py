"""The reader's settings: the store's, and its own."""

from datetime import timedelta
from typing import Final

from pydantic import Field

from service.settings import ServiceSettings
from stores.influx.settings import InfluxSettings

_NONE: Final = timedelta(0)


class AggregatorSettings(ServiceSettings, InfluxSettings):
    """The settings of one reader."""

    port: int = Field(8082, ge=0, le=65_535, description="Port to listen on")

    aggregator_renewal: timedelta = Field(
        timedelta(milliseconds=250),
        ge=_NONE,
        description="How long the answer for the current hour, or the one before, is given before it is read again",
    )
    aggregator_max_age: timedelta = Field(
        timedelta(milliseconds=500),
        ge=_NONE,
        description="No answer this old is given: readers wait for a new one; 0: each request reads",
    )
    aggregator_final_margin: timedelta = Field(
        timedelta(seconds=5), ge=_NONE, description="An hour is final once complete through its end and this margin"
    )
    aggregator_ends_max_age: timedelta = Field(
        timedelta(milliseconds=200),
        ge=_NONE,
        description="How old the end offsets may be that an answer's completeness is told from",
    )
    aggregator_kafka_timeout: timedelta = Field(
        timedelta(seconds=1),
        gt=_NONE,
        description="Longest wait for the end offsets; then answers do not say how complete they are",
    )
    aggregator_kafka_retry: timedelta = Field(
        timedelta(seconds=2), ge=_NONE, description="How long after Kafka did not answer nobody waits for it"
    )
    aggregator_store_timeout: timedelta = Field(
        timedelta(seconds=10), gt=_NONE, description="Longest reading from the store; then the answer is 503"
    )
    aggregator_probe_timeout: timedelta = Field(
        timedelta(seconds=1), gt=_NONE, description="Longest wait of /readyz for the store"
    )
    aggregator_drain_timeout: timedelta = Field(
        timedelta(seconds=15), gt=_NONE, description="Longest time for requests in flight after SIGTERM"
    )
