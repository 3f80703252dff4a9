"""The reader's settings: the store's, and its own."""

from datetime import timedelta
from typing import Final

from pydantic import Field

from stores.influx.settings import InfluxSettings

_NONE: Final = timedelta(0)


class AggregatorSettings(InfluxSettings):
    """From the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8082, ge=0, le=65_535, description="Port to listen on")
    kafka_bootstrap: str = Field("127.0.0.1:9092", min_length=1, description="Kafka's addresses, parted by commas")
    topic: str = Field("actions", min_length=1, description="The topic of actions")
    log_level: str = Field("INFO", description="Least level of log lines that are written")

    aggregator_renewal: timedelta = Field(
        timedelta(milliseconds=250),
        ge=_NONE,
        description="How long the answer for the current hour, or the one before, is given before it is read again",
    )
    aggregator_max_age: timedelta = Field(
        timedelta(milliseconds=500),
        ge=_NONE,
        description="An answer so old is never given: readers wait for the new one; 0: each request reads",
    )
    aggregator_final_margin: timedelta = Field(
        timedelta(seconds=5), ge=_NONE, description="An hour is final once complete through its end and this margin"
    )
    aggregator_ends_max_age: timedelta = Field(
        timedelta(milliseconds=200), ge=_NONE, description="How long readers share one look at the log's ends"
    )
    aggregator_kafka_timeout: timedelta = Field(
        timedelta(seconds=1), gt=_NONE, description="Longest look at the log's ends; then answers lack completeness"
    )
    aggregator_kafka_retry: timedelta = Field(
        timedelta(seconds=2), ge=_NONE, description="How long after a failed look nobody waits for another"
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
