"""What the ingest API measures."""

from prometheus_client import Counter, Gauge, Histogram

from service.metrics import ServiceMetrics


class Metrics(ServiceMetrics):
    """The API's metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = Counter(
            "collector_ingest_actions_accepted", "Actions that the log has acknowledged.", registry=self.registry
        )
        self.rejected = Counter(
            "collector_ingest_actions_rejected",
            "Actions that break a rule, by its code.",
            ["code"],
            registry=self.registry,
        )
        self.unmapped = Counter(
            "collector_ingest_calls_unmapped",
            "Calls of SDKs that COLLECTOR_SEGMENT_EVENTS makes no events, by type.",
            ["type"],
            registry=self.registry,
        )
        self.not_published = Counter(
            "collector_ingest_actions_not_published", "Actions answered 503, none of them sent.", registry=self.registry
        )
        self.unknown = Counter(
            "collector_ingest_actions_outcome_unknown",
            "Actions answered 503 that may or may not be in the log.",
            registry=self.registry,
        )
        self.problems = Counter(
            "collector_ingest_problems",
            "Requests answered with a problem, by its code.",
            ["code"],
            registry=self.registry,
        )
        self.in_flight_actions = Gauge(
            "collector_ingest_actions_in_flight", "Actions that wait for the log now.", registry=self.registry
        )
        self.in_flight_bytes = Gauge(
            "collector_ingest_in_flight_bytes", "Bytes of lines that are not acknowledged yet.", registry=self.registry
        )
        self.body_bytes = Gauge(
            "collector_ingest_body_bytes", "Bytes of bodies that are being read and checked.", registry=self.registry
        )
        self.publish_seconds = Histogram(
            "collector_ingest_publish_seconds",
            "From an action's acceptance to the log's acknowledgement.",
            buckets=(0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
            registry=self.registry,
        )
        self.record_lines = Histogram(
            "collector_ingest_record_lines",
            "Lines in a record as it is sent.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=self.registry,
        )
