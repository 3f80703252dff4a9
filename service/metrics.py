"""What services' metrics have in common."""

from prometheus_client import CollectorRegistry, generate_latest

from service.connections.metrics import ConnectionMetrics


class ServiceMetrics:
    """One set of metrics, in a registry of its own: so each app that a test makes starts at zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = ConnectionMetrics(self.registry)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
