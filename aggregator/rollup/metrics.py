"""What the keeper of `hours` measures."""

from prometheus_client import Counter, Gauge, Histogram

from aggregator.metrics import Metrics


class RollupMetrics(Metrics):
    """The keeper's metrics, beside those of the reader's parts that it uses."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = Counter(
            "collector_rollup_rounds", "Comparisons of `hours`, by outcome.", ["outcome"], registry=self.registry
        )
        self.round_seconds = Histogram(
            "collector_rollup_round_seconds", "Duration of a comparison.", registry=self.registry
        )
        self.written = Counter(
            "collector_rollup_points_written", "Points of `hours` that were written.", registry=self.registry
        )
        self.sweeps = Gauge(
            "collector_rollup_sweeps", "How often all hours of the past were compared.", registry=self.registry
        )
        self.compared_at = Gauge(
            "collector_rollup_compared_timestamp_seconds",
            "When the last comparison that succeeded began, seconds since the epoch.",
            registry=self.registry,
        )
