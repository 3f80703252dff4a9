"""What the HTTP services' metrics have in common."""

from service.connections.metrics import ConnectionMetrics
from service.metrics.listed import MetricList
from service.metrics.process import ProcessMetrics


class ServiceMetrics:
    """One set of metrics, on a list of its own."""

    def __init__(self, *dependencies: str) -> None:
        """`dependencies`: what the service needs, of `kafka` and `store`."""
        self.listed = MetricList()
        self.registry = self.listed.registry
        self.process = ProcessMetrics(self.listed, *dependencies)
        self.connections = ConnectionMetrics(self.listed)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return self.listed.exposition()
