"""What is measured of connections."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

ENDINGS: Final = ("head_timeout", "idle", "unread", "unread_bytes", "waiting_bytes")
"""Why a connection is ended: see ConnectionLimits."""
REFUSALS: Final = ("connections", "of_one")


class ConnectionMetrics:
    """Of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge("collector_http_connections", "Connections of clients now.", registry=registry)
        self.refused = Counter(
            "collector_http_connections_refused",
            "Connections answered 503 at once: too many in all, or of one client.",
            ["limit"],
            registry=registry,
        )
        self.ended = Counter(
            "collector_http_connections_ended",
            "Connections that were ended because of what they did, or did not do.",
            ["reason"],
            registry=registry,
        )
        for limit in REFUSALS:
            self.refused.labels(limit)
        for reason in ENDINGS:
            self.ended.labels(reason)
