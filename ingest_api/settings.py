"""The ingest API's settings."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from contract.origin import ALL, ORIGIN_RULE, is_origin
from contract.shown import shown
from ingest_api.decoding.checked import LISTED
from ingest_api.decoding.cloud_events.type_rules import TypeRules
from ingest_api.decoding.segment.event_rules import EventRules
from ingest_api.oldest import Oldest, check_oldest, parse_oldest
from ingest_api.publishing.user_hashing import key_in
from kafka_log.settings import KafkaSettings
from service.settings import EventSettings, HttpSettings, duration_text
from service.traces.settings import TraceSettings

_NONE: Final = timedelta(0)
_MIB: Final = 1024 * 1024


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = tuple(origin.strip() for origin in value.split(",")) if value.strip() else ()
    for origin in origins:
        if origin != ALL and not is_origin(origin):
            # With an @ it may hold a password.
            raise ValueError(f"{'one' if '@' in origin else shown(origin)} is not an origin: {ORIGIN_RULE}")
    if ALL in origins and len(origins) > 1:
        raise ValueError(f"{ALL} stands for every origin, and alone")
    return origins


def _type_rules(value: object) -> object:
    if not isinstance(value, str):
        return value
    rules = tuple(rule.strip() for rule in value.split(",")) if value.strip() else ()
    TypeRules(rules)
    return rules


def _call_rules(value: object) -> object:
    if not isinstance(value, str):
        return value
    rules = tuple(rule.strip() for rule in value.split(","))
    EventRules(rules)
    return rules


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _holds_a_key(file: Path | None) -> Path | None:
    if file is not None:
        key_in(file)
    return file


class IngestSettings(HttpSettings, EventSettings, KafkaSettings, TraceSettings):
    """The settings of one API process."""

    port: int = Field(8081, ge=0, le=65_535, description="Port to listen on")

    ingest_oldest: Annotated[Oldest, BeforeValidator(parse_oldest), AfterValidator(check_oldest)] = Field(
        "1990-01-01",
        validate_default=True,
        description="Earliest accepted timestamp: a date or date-time, ms since the epoch, or an age (`P400D`)",
    )
    ingest_future_tolerance: timedelta = Field(
        timedelta(hours=1), ge=_NONE, description="How far ahead of the clock a timestamp may be"
    )
    ingest_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        (),
        description="Origins whose pages may read answers and send what browsers ask about first, separated by commas; "
        "`*`: all, without credentials",
    )
    cloudevents_events: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_type_rules)] = Field(
        (),
        description="Which types of CloudEvents are which events: TYPE=EVENT, separated by commas; `*` in a type "
        "stands for any text, the first that matches counts; of other types, the last dotted part is the event",
    )
    ingest_user_hash_key_file: Annotated[Path | None, BeforeValidator(_none_if_empty), AfterValidator(_holds_a_key)] = (
        Field(
            None,
            description="A file with a key of 32 to 64 bytes: users are replaced by their keyed hash (BLAKE2b). "
            "The same in all processes, and for good: with another key, each user is another",
        )
    )
    ingest_max_lines: int = Field(10_000, ge=1, description="Maximum number of lines, or array elements, in a batch")
    ingest_hours_per_batch: int = Field(
        1_000, ge=1, description="Maximum number of different hours that a batch's actions may lie in; then 413"
    )
    ingest_rejections_listed: int = Field(
        LISTED, ge=1, description="How many rejections the answer to a batch lists; all are counted in it, by code"
    )
    ingest_max_body_bytes: int = Field(8 * _MIB, ge=1, description="Maximum size of a body as sent, in bytes")
    ingest_max_decompressed_bytes: int = Field(
        16 * _MIB, ge=1, description="Maximum size of a body once decompressed, in bytes"
    )
    ingest_body_timeout: timedelta = Field(
        timedelta(seconds=10), gt=_NONE, description="Time limit for receiving a body; then 408"
    )
    ingest_max_in_flight_bytes: int = Field(
        64 * _MIB, ge=1, description="Maximum bytes of bodies being read, and of lines not yet acknowledged; then 503"
    )
    ingest_max_client_bytes: int = Field(
        32 * _MIB, ge=1, description="Maximum bytes of bodies being read of one client address; then 503"
    )
    ingest_linger: timedelta = Field(
        timedelta(milliseconds=3), ge=_NONE, description="How long an action waits for others, to share a record"
    )
    # In batches of 1,000 lz4 costs this process a tenth less CPU in all than zstd, and a worker half as much to
    # decompress; it writes 17 bytes a line where zstd writes 10.
    ingest_compression: Literal["zstd", "lz4", "snappy", "gzip", "none"] = Field(
        "lz4", description="How records are compressed"
    )
    ingest_delivery_timeout: timedelta = Field(
        timedelta(seconds=10), ge=timedelta(seconds=1), description="Time limit for Kafka's acknowledgement; then 503"
    )
    ingest_metadata_refresh: timedelta = Field(
        timedelta(seconds=5), gt=_NONE, description="How soon added partitions are noticed"
    )
    ingest_drain_timeout: timedelta = Field(
        timedelta(seconds=25), gt=_NONE, description="Time limit for requests in flight after SIGTERM"
    )

    segment_events: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_call_rules)] = Field(
        ("page=impression", "screen=impression", "track:Clicked=click"),
        description="Which calls of Segment's and RudderStack's SDKs are which events: TYPE=EVENT or TYPE:NAME=EVENT, "
        "separated by commas; `*` in a name stands for any text, the first that matches counts",
    )
    segment_unavailable_status: Literal["503", "429"] = Field(
        "503",
        description="What calls of these SDKs are answered while Kafka is away; Segment's for Node waits only on 429",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        largest = max(self.ingest_max_body_bytes, self.ingest_max_decompressed_bytes)
        if self.ingest_max_in_flight_bytes < largest:
            raise ValueError(
                f"COLLECTOR_INGEST_MAX_IN_FLIGHT_BYTES is below {largest}, the largest body that is accepted"
            )
        if self.ingest_max_client_bytes < largest:
            raise ValueError(f"COLLECTOR_INGEST_MAX_CLIENT_BYTES is below {largest}, the largest body that is accepted")
        self._need_accepted("COLLECTOR_CLOUDEVENTS_EVENTS", TypeRules(self.cloudevents_events).events)
        # The default is for the default events: it must not stop a service that nobody sends calls to.
        if "segment_events" in self.model_fields_set:
            self._need_accepted("COLLECTOR_SEGMENT_EVENTS", EventRules(self.segment_events).events)
        longest_request = self.ingest_body_timeout + self.ingest_delivery_timeout
        if self.ingest_drain_timeout <= longest_request:
            longest = duration_text(longest_request)
            raise ValueError(
                f"COLLECTOR_INGEST_DRAIN_TIMEOUT is not above {longest}, the longest request: it would be cut"
            )
        return self

    def _need_accepted(self, setting: str, events: frozenset[str]) -> None:
        if unknown := events - set(self.ingest_events):
            raise ValueError(f"{setting} names {', '.join(sorted(unknown))}, not among COLLECTOR_INGEST_EVENTS")
