"""What is measured of connections."""

from typing import Final

from service.metrics.listed import MetricList

ENDINGS: Final = ("head_timeout", "idle", "unread", "unread_bytes", "waiting_bytes")
"""Why a connection is ended: see ConnectionLimits."""
REFUSALS: Final = ("connections", "of_one")


class ConnectionMetrics:
    """Of one process."""

    def __init__(self, listed: MetricList) -> None:
        self.requests = listed.counted_elsewhere(
            "collector_http_requests_total", "Requests answered, with whatever status."
        )
        self.open = listed.gauge("collector_http_connections", "Connections of clients now.")
        self.refused = listed.counter(
            "collector_http_connections_refused_total",
            "Connections answered 503 at once: too many in all, or of one client.",
            limit=REFUSALS,
        )
        self.ended = listed.counter(
            "collector_http_connections_ended_total",
            "Connections that were ended because of what they did, or did not do.",
            reason=ENDINGS,
        )
