"""The ingest API: what comes in, how soon it is acknowledged, and what is refused."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.dashboards.parts import BYTES, NUMBER, PER_SECOND, RATE, SECONDS, lines, new_dashboard, percentiles


def ingest() -> Dashboard:
    """The dashboard."""
    board = new_dashboard("collector-ingest", "Collector: ingest", __doc__.strip())
    for panel in (
        lines(
            "Requests",
            {"{{instance}}": f'sum by (instance) (rate(collector_http_requests_total{{job="ingest"}}{RATE}))'},
            PER_SECOND,
            "Probes and scrapes among them.",
        ),
        lines(
            "Actions by outcome",
            {
                "accepted": f"sum(rate(collector_ingest_actions_accepted_total{RATE}))",
                "rejected": f"sum(rate(collector_ingest_actions_rejected_total{RATE}))",
                "not published": f"sum(rate(collector_ingest_actions_not_published_total{RATE}))",
                "outcome unknown": f"sum(rate(collector_ingest_actions_outcome_unknown_total{RATE}))",
            },
            PER_SECOND,
            "Each action once.",
        ),
        lines(
            "Acknowledgement", percentiles("collector_ingest_publish_seconds"), SECONDS, "By the log, of each action."
        ),
        lines(
            "Rejected actions, by rule",
            {"{{code}}": f"sum by (code) (rate(collector_ingest_actions_rejected_total{RATE}))"},
            PER_SECOND,
            "docs/operations.md#collectorrejectsspike says what to do.",
        ),
        lines(
            "Memory for what is not acknowledged",
            {
                "{{instance}}": "collector_ingest_in_flight_bytes",
                "{{instance}} at most": "collector_ingest_in_flight_limit_bytes",
                "{{instance}} bodies": "collector_ingest_body_bytes",
            },
            BYTES,
            "At the limit actions are answered 503.",
        ),
        lines(
            "Requests answered with a problem",
            {"{{code}}": f"sum by (code) (rate(collector_ingest_problems_total{RATE}))"},
            PER_SECOND,
            "By the answer's code.",
        ),
        lines("Lines in a record", percentiles("collector_ingest_record_lines"), NUMBER, "More lines cost less each."),
        lines(
            "Connections",
            {
                "{{instance}} open": 'collector_http_connections{job="ingest"}',
                "refused: {{limit}}": (
                    f'sum by (limit) (rate(collector_http_connections_refused_total{{job="ingest"}}{RATE}))'
                ),
                "ended: {{reason}}": (
                    f'sum by (reason) (rate(collector_http_connections_ended_total{{job="ingest"}}{RATE}))'
                ),
            },
            NUMBER,
            "Of clients; refused and ended ones a second.",
        ),
    ):
        board = board.with_panel(panel)
    return board
