"""What an operator looks at first, from the top: is it well, is it late, what does it do, what does it need."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from deploy.dashboards.parts import (
    BYTES,
    NUMBER,
    PER_SECOND,
    PERCENT,
    RATE,
    SECONDS,
    lines,
    new_dashboard,
    number,
    percentiles,
)


def overview() -> Dashboard:
    """The dashboard."""
    return _resources(_flow(_well(new_dashboard("collector-overview", "Collector: overview", __doc__.strip()))))


def _well(board: Dashboard) -> Dashboard:
    for panel in (
        number(
            "Alerts", 'count(ALERTS{alertstate="firing"}) or vector(0)', NUMBER, "How many fire.", bad_from=1, span=3
        ),
        number(
            "Not ready",
            "count(collector_ready == 0) or vector(0)",
            NUMBER,
            "Processes that cannot do their job, as /readyz says.",
            bad_from=1,
            span=3,
        ),
        number(
            "Numbers are behind by",
            "time() - max(collector_aggregator_complete_through_timestamp_seconds)",
            SECONDS,
            "Everything acknowledged before is in the numbers.",
            bad_from=60,
        ),
        number("Lag", "max(collector_worker_lag_seconds)", SECONDS, "Of the partition that lags most.", bad_from=60),
        number("Records not counted", "max(collector_aggregator_lag_records)", NUMBER, "Of the whole log."),
        number(
            "Lost",
            "max(collector_aggregator_lost_records)",
            NUMBER,
            "Records that retention removed before they were counted, of all time.",
            bad_from=1,
            span=3,
        ),
        number(
            "Earlier logs",
            "max(collector_aggregator_earlier_logs)",
            NUMBER,
            "Logs counted before this one, of all time: the topic was created again, or Kafka lost its data.",
            bad_from=1,
            span=3,
        ),
    ):
        board = board.with_panel(panel)
    return board


def _flow(board: Dashboard) -> Dashboard:
    accepted = f"sum(rate(collector_ingest_actions_accepted_total{RATE}))"
    counted = f'sum(rate(collector_worker_lines_total{{outcome="counted"}}{RATE}))'
    return (
        board.with_row(Row("From sender to reader"))
        .with_panel(lines("Actions", {"accepted": accepted, "counted": counted}, PER_SECOND, "In and through."))
        .with_panel(
            lines(
                "What went wrong",
                {
                    "rejected {{code}}": f"sum by (code) (rate(collector_ingest_actions_rejected_total{RATE}))",
                    "not published": f"sum(rate(collector_ingest_actions_not_published_total{RATE}))",
                    "outcome unknown": f"sum(rate(collector_ingest_actions_outcome_unknown_total{RATE}))",
                    "retried: {{attempt}}": f"sum by (attempt) (rate(collector_worker_retries_total{RATE}))",
                    "store: {{reason}}": f"sum by (reason) (rate(collector_aggregator_store_errors_total{RATE}))",
                },
                PER_SECOND,
                "Nothing here is a good day.",
            )
        )
        .with_panel(
            lines(
                "Acknowledgement",
                percentiles("collector_ingest_publish_seconds"),
                SECONDS,
                "From acceptance to the log's.",
            )
        )
        .with_panel(
            lines(
                "Answers",
                percentiles("collector_aggregator_request_seconds"),
                SECONDS,
                "Of the aggregator, all routes.",
            )
        )
    )


def _resources(board: Dashboard) -> Dashboard:
    return (
        board.with_row(Row("What it needs"))
        .with_panel(
            lines(
                "Dependencies",
                {"{{job}} {{dependency}}": "min by (job, dependency) (collector_dependency_up)"},
                NUMBER,
                "1: what the service asks is done; 0: it is not.",
                span=6,
            )
        )
        .with_panel(
            lines(
                "CPU",
                {"{{instance}}": f'rate(process_cpu_seconds_total{{job!="node"}}{RATE})'},
                NUMBER,
                "Cores.",
                span=6,
            )
        )
        .with_panel(
            lines("Memory", {"{{instance}}": 'process_resident_memory_bytes{job!="node"}'}, BYTES, "Resident.", span=6)
        )
        .with_panel(
            lines(
                "Disks, free",
                {
                    "{{instance}} {{mountpoint}}": 'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs"}'
                    ' / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|squashfs"}'
                },
                PERCENT,
                "Below a tenth an alert fires.",
                span=6,
            )
        )
    )
