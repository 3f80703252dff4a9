"""What the keeper of `hours` measures."""

from aggregator.metrics import ReadingMetrics


class RollupMetrics(ReadingMetrics):
    """The keeper's metrics, beside those of the reader's parts that it uses."""

    def __init__(self) -> None:
        super().__init__()
        listed = self.listed
        self.rounds = listed.counter(
            "collector_rollup_rounds_total", "Comparisons of `hours`, by outcome.", outcome=("compared", "failed")
        )
        self.round_seconds = listed.histogram("collector_rollup_round_seconds", "Duration of a comparison.")
        self.written = listed.counter("collector_rollup_points_written_total", "Points of `hours` that were written.")
        self.sweeps = listed.counted_elsewhere(
            "collector_rollup_sweeps_total", "How often all hours of the past were compared."
        )
        self.compared_at = listed.gauge(
            "collector_rollup_compared_timestamp_seconds", "When the last comparison that succeeded began."
        )
