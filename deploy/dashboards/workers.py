"""The workers: how late they are, where a flush takes its time, and what they hold."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.dashboards.parts import BYTES, NUMBER, PER_SECOND, RATE, SECONDS, lines, new_dashboard, percentiles


def workers() -> Dashboard:
    """The dashboard."""
    board = new_dashboard("collector-workers", "Collector: workers", __doc__.strip())
    for panel in (
        lines(
            "Lag by partition",
            {"{{partition}}": "max by (partition) (collector_worker_lag_seconds)"},
            SECONDS,
            "How long ago all of the partition was stored.",
        ),
        lines(
            "Records not stored, by partition",
            {"{{partition}}": "max by (partition) (collector_worker_lag_records)"},
            NUMBER,
            "What workers own; collector_aggregator_lag_records has those that nobody owns, too.",
        ),
        lines(
            "Lines by outcome",
            {"{{outcome}}": f"sum by (outcome) (rate(collector_worker_lines_total{RATE}))"},
            PER_SECOND,
            "As they are stored.",
        ),
        lines(
            "Records",
            {"{{instance}}": f"sum by (instance) (rate(collector_worker_records_total{RATE}))"},
            PER_SECOND,
            "As they are counted in memory.",
        ),
        lines("Flush", percentiles("collector_worker_flush_seconds"), SECONDS, "From snapshot to progress."),
        lines(
            "Time by step",
            {"{{step}}": f"sum by (step) (rate(collector_worker_step_seconds_sum{RATE}))"},
            SECONDS,
            "Seconds that go to each step, a second.",
        ),
        lines(
            "Retries",
            {"{{attempt}}: {{reason}}": f"sum by (attempt, reason) (rate(collector_worker_retries_total{RATE}))"},
            PER_SECOND,
            "What the store, or Kafka, did not do.",
        ),
        lines(
            "Windows in memory",
            {"{{instance}}": "collector_worker_window_bytes"},
            BYTES,
            "COLLECTOR_WORKER_WINDOW_MEMORY bounds it.",
        ),
        lines(
            "Partitions, and rebalances",
            {
                "{{instance}}": "collector_worker_partitions",
                "rebalances in 5 minutes": "sum(increase(collector_worker_rebalances_total[5m]))",
            },
            NUMBER,
            "Each partition has one owner.",
        ),
        lines(
            "Letting go",
            {
                **percentiles("collector_worker_release_seconds"),
                "{{instance}} drains": "collector_worker_drain_seconds",
            },
            SECONDS,
            "At a rebalance, and at a stop.",
        ),
    ):
        board = board.with_panel(panel)
    return board
