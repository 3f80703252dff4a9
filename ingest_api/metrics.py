"""What the ingest API measures."""

from typing import Final

from service.metrics.service_metrics import ServiceMetrics

_CODE: Final = "as in the answer"


class Metrics(ServiceMetrics):
    """The API's metrics."""

    def __init__(self) -> None:
        super().__init__("kafka")
        listed = self.listed
        self.accepted = listed.counter(
            "collector_ingest_actions_accepted_total", "Actions that the log has acknowledged."
        )
        self.rejected = listed.counter(
            "collector_ingest_actions_rejected_total", "Actions that break a rule, by its code.", code=_CODE
        )
        self.unmapped = listed.counter(
            "collector_ingest_calls_unmapped_total",
            "Calls of SDKs that COLLECTOR_SEGMENT_EVENTS makes no events, by type.",
            type="as the SDK names it",
        )
        self.not_published = listed.counter(
            "collector_ingest_actions_not_published_total", "Actions answered 503, none of them sent."
        )
        self.unknown = listed.counter(
            "collector_ingest_actions_outcome_unknown_total", "Actions answered 503 that may or may not be in the log."
        )
        self.problems = listed.counter(
            "collector_ingest_problems_total", "Requests answered with a problem, by its code.", code=_CODE
        )
        self.in_flight_actions = listed.gauge(
            "collector_ingest_actions_in_flight", "Actions that wait for the log now."
        )
        self.in_flight_bytes = listed.gauge(
            "collector_ingest_in_flight_bytes", "Bytes of lines that are not acknowledged yet."
        )
        self.in_flight_limit_bytes = listed.gauge(
            "collector_ingest_in_flight_limit_bytes", "How many of them there may be; then 503."
        )
        self.body_bytes = listed.gauge("collector_ingest_body_bytes", "Bytes of bodies that are read and checked now.")
        self.publish_seconds = listed.histogram(
            "collector_ingest_publish_seconds",
            "From an action's acceptance to the log's acknowledgement.",
            buckets=(0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
        )
        self.record_lines = listed.histogram(
            "collector_ingest_record_lines",
            "Lines in a record as it is sent.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        )
