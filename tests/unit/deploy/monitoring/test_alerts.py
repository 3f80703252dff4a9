"""Each alert fires for what it is about, on series made for it, and for nothing else."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from collector.commands.operating.metrics import METRICS

ROOT = Path(__file__).parents[4]
RULES = ROOT / "deploy/monitoring/alerts.yaml"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule}

LONG = 400
"""Steps of 15 s: longer than any case."""

DEPENDENCIES = {"ingest": ["kafka"], "worker": ["kafka", "store"], "aggregator": ["kafka", "store"]}

HEALTHY: Mapping[str, str] = {
    **{f'up{{job="{job}",instance="{job}"}}': f"1x{LONG}" for job in ("ingest", "worker", "aggregator", "rollup")},
    **{f'collector_ready{{job="{job}",instance="{job}"}}': f"1x{LONG}" for job in ("ingest", "worker", "aggregator")},
    **{
        f'collector_dependency_up{{job="{job}",instance="{job}",dependency="{dependency}"}}': f"1x{LONG}"
        for job, dependencies in DEPENDENCIES.items()
        for dependency in dependencies
    },
    'collector_worker_lag_seconds{job="worker",instance="worker",partition="0"}': f"0x{LONG}",
    'collector_worker_lag_records{job="worker",instance="worker",partition="0"}': f"0x{LONG}",
    'collector_worker_flush_seconds_count{job="worker",instance="worker"}': f"0+30x{LONG}",
    'collector_worker_lines_total{job="worker",instance="worker",outcome="counted"}': f"0+1000x{LONG}",
    'collector_worker_lines_total{job="worker",instance="worker",outcome="duplicate"}': f"0+10x{LONG}",
    'collector_worker_lines_total{job="worker",instance="worker",outcome="rejected"}': f"0x{LONG}",
    'collector_aggregator_complete_through_timestamp_seconds{job="aggregator",instance="aggregator"}': f"0+15x{LONG}",
    'collector_aggregator_lost_records{job="aggregator",instance="aggregator"}': f"7x{LONG}",
    'collector_aggregator_earlier_logs{job="aggregator",instance="aggregator"}': f"1x{LONG}",
    'collector_rollup_compared_timestamp_seconds{job="rollup",instance="rollup"}': f"1+15x{LONG}",
    'collector_ingest_actions_accepted_total{job="ingest",instance="ingest"}': f"0+1000x{LONG}",
    'collector_ingest_actions_rejected_total{job="ingest",instance="ingest",code="x"}': f"0+10x{LONG}",
    'collector_ingest_actions_not_published_total{job="ingest",instance="ingest"}': f"0x{LONG}",
    'collector_ingest_actions_outcome_unknown_total{job="ingest",instance="ingest"}': f"0x{LONG}",
    'probe_success{job="gateway",instance="gateway"}': f"1x{LONG}",
    'probe_ssl_earliest_cert_expiry{job="gateway",instance="gateway"}': f"2000000x{LONG}",
    'probe_ssl_earliest_cert_expiry{job="gateway",instance="other",tls="internal"}': f"40000x{LONG}",
    'node_filesystem_avail_bytes{job="node",instance="node",mountpoint="/",fstype="ext4"}': f"50x{LONG}",
    'node_filesystem_size_bytes{job="node",instance="node",mountpoint="/",fstype="ext4"}': f"100x{LONG}",
    'node_filesystem_avail_bytes{job="node",instance="node",mountpoint="/run",fstype="tmpfs"}': f"0x{LONG}",
    'node_filesystem_size_bytes{job="node",instance="node",mountpoint="/run",fstype="tmpfs"}': f"100x{LONG}",
}
"""A stack in which nothing is wrong."""


class Case(NamedTuple):
    """What is other than in a healthy stack, what fires at `at`, and nothing does at `before`."""

    what: str
    series: Mapping[str, str]
    before: str
    at: str
    fires: frozenset[str]


def series(start: str, change: str) -> dict[str, str]:
    """The healthy series that begin so, changed."""
    found = [name for name in HEALTHY if name.startswith(start)]
    assert found, start
    return dict.fromkeys(found, change)


def at_step(number: int, before: str, after: str) -> str:
    """One value, and another from a step on."""
    return f"{before}x{number - 1} {after}x{LONG}"


def case(what: str, changed: Mapping[str, str], before: str, at: str, *fires: str) -> Case:
    return Case(what, changed, before, at, frozenset(fires))


OLD = f"0+15x20 300x{LONG}"
"""Complete through: it stands still after five minutes."""

CASES = [
    case("a worker is dead", series('up{job="worker"', at_step(8, "1", "0")), "2m45s", "3m30s", "CollectorDown"),
    case("no aggregator is scraped", series('up{job="aggregator"', "_x5"), "45s", "1m30s", "CollectorDown"),
    case(
        "kafka is away",
        {
            **series('collector_dependency_up{job="ingest"', at_step(8, "1", "0")),
            **series('collector_dependency_up{job="worker",instance="worker",dependency="kafka"', at_step(8, "1", "0")),
            **series("collector_ready", at_step(8, "1", "0")),
            **series("collector_worker_lag_seconds", at_step(8, "0", "100")),
            **series("collector_worker_lag_records", at_step(8, "0", "100")),
            **series("collector_worker_flush_seconds_count", f"5x{LONG}"),
            **series("collector_ingest_actions_not_published_total", f"0x8 0+100x{LONG}"),
            'collector_ready{job="aggregator",instance="aggregator"}': f"1x{LONG}",
        },
        "2m45s",
        "15m",
        "CollectorKafkaUnreachable",
    ),
    case(
        "kafka was away",
        {
            **series('collector_dependency_up{job="ingest"', f"1x8 0x8 1x{LONG}"),
            **series("collector_ingest_actions_not_published_total", f"0x8 0+100x8 800x{LONG}"),
        },
        "2m45s",
        "7m30s",
    ),
    case(
        "the store is away",
        {
            **series('collector_dependency_up{job="worker",instance="worker",dependency="store"', at_step(8, "1", "0")),
            **series('collector_ready{job="worker"', at_step(8, "1", "0")),
            **series("collector_worker_lag_seconds", at_step(8, "0", "100")),
        },
        "2m45s",
        "15m",
        "CollectorStoreFailing",
    ),
    case(
        "the store refuses every other question",
        {
            'collector_worker_retries_total{job="worker",instance="worker",attempt="store windows",reason="503"}': (
                f"0x8 0+15x{LONG}"
            )
        },
        "2m45s",
        "6m",
        "CollectorStoreFailing",
    ),
    case(
        "the store refuses now and then",
        {
            'collector_worker_retries_total{job="worker",instance="worker",attempt="store windows",reason="503"}': (
                f"0+1x{LONG}"
            )
        },
        "1m",
        "30m",
    ),
    case(
        "kafka's topic for rejected lines is slow",
        {
            'collector_worker_retries_total{job="worker",attempt="publish rejected lines",reason="x"}': f"0+15x{LONG}",
        },
        "1m",
        "30m",
    ),
    case(
        "a reader's questions fail",
        {'collector_aggregator_store_errors_total{job="aggregator",reason="x"}': f"0x8 0+15x{LONG}"},
        "2m",
        "6m",
        "CollectorStoreFailing",
    ),
    case("a rebalance that ends", series('collector_ready{job="worker"', f"1x4 0x6 1x{LONG}"), "1m", "20m"),
    case(
        "a rebalance without an end",
        series('collector_ready{job="worker"', at_step(8, "1", "0")),
        "3m",
        "5m",
        "CollectorNotReady",
    ),
    case("the gateway is dead", series("probe_success", at_step(8, "1", "0")), "2m45s", "4m", "CollectorGatewayDown"),
    case(
        "one partition lags",
        series("collector_worker_lag_seconds", at_step(8, "0", "61")),
        "3m45s",
        "5m",
        "CollectorLag",
    ),
    case("a short lag", series("collector_worker_lag_seconds", f"0x8 90x4 0x{LONG}"), "2m", "5m"),
    case("a constant lag of a minute", series("collector_worker_lag_seconds", f"60x{LONG}"), "2m", "30m"),
    case(
        "a worker that hangs",
        {
            **series("collector_worker_flush_seconds_count", f"0+30x8 240x{LONG}"),
            **series("collector_worker_lag_records", at_step(8, "0", "5")),
        },
        "10m",
        "14m",
        "CollectorNoProgress",
    ),
    case("a worker with nothing to do", series("collector_worker_flush_seconds_count", f"9x{LONG}"), "1m", "30m"),
    case(
        "the numbers stand still",
        series("collector_aggregator_complete_through", OLD),
        "10m45s",
        "12m",
        "CollectorNumbersStale",
    ),
    case(
        "since the aggregator started nobody knows how complete the numbers are",
        series("collector_aggregator_complete_through", "NaN " * LONG),
        "4m",
        "6m",
        "CollectorNumbersStale",
    ),
    case(
        "an aggregator that does not know yet",
        series("collector_aggregator_complete_through", "NaN " * 8 + f"120+15x{LONG}"),
        "1m45s",
        "30m",
    ),
    case(
        "the numbers are five minutes old",
        series("collector_aggregator_complete_through", f"-285+15x{LONG}"),
        "1m",
        "30m",
    ),
    case(
        "an hour is over, and its numbers are not whole",
        series("collector_aggregator_complete_through", f"0+15x237 3555x{LONG}"),
        "1h4m",
        "1h11m30s",
        "CollectorFinalHoursLate",
        "CollectorNumbersStale",
    ),
    case(
        "nobody compares the hours",
        series("collector_rollup_compared", f"0+15x8 120x{LONG}"),
        "5m45s",
        "7m",
        "CollectorHoursNotCompared",
    ),
    case("a keeper that has not compared yet", series("collector_rollup_compared", f"0x{LONG}"), "1m", "30m"),
    case(
        "a keeper that has no store",
        {
            **series("collector_rollup_compared", f"0+15x8 120x{LONG}"),
            'collector_dependency_up{job="rollup",instance="rollup",dependency="store"}': at_step(8, "1", "0"),
        },
        "2m",
        "30m",
        "CollectorStoreFailing",
    ),
    case(
        "memory for no more",
        series("collector_ingest_actions_not_published", f"0x8 0+15x{LONG}"),
        "3m",
        "5m",
        "CollectorActionsRefused",
    ),
    case(
        "a sender that breaks rules",
        series("collector_ingest_actions_rejected", f"0+60x{LONG}"),
        "9m",
        "20m",
        "CollectorRejectsSpike",
    ),
    case(
        "a sender that breaks rules for a moment",
        series("collector_ingest_actions_rejected", f"0+60x8 480x{LONG}"),
        "2m",
        "30m",
    ),
    case(
        "a foreign producer that breaks rules",
        series('collector_worker_lines_total{job="worker",instance="worker",outcome="rejected"', f"0+60x{LONG}"),
        "9m",
        "20m",
        "CollectorRejectsSpike",
    ),
    case(
        "one of few actions breaks a rule",
        {
            **series("collector_ingest_actions_accepted", f"0x{LONG}"),
            **series("collector_ingest_actions_rejected", f"0+1x{LONG}"),
        },
        "1m",
        "30m",
    ),
    case(
        "a sender that sends again and again",
        series('collector_worker_lines_total{job="worker",instance="worker",outcome="duplicate"', f"0+400x{LONG}"),
        "9m",
        "20m",
        "CollectorDuplicatesSpike",
    ),
    case(
        "retention was faster",
        series("collector_aggregator_lost", at_step(8, "7", "9")),
        "1m45s",
        "2m15s",
        "CollectorDataLost",
    ),
    case("retention was faster long ago", series("collector_aggregator_lost", at_step(8, "7", "9")), "1m45s", "1h30m"),
    case(
        "a reader that does not know yet", series("collector_aggregator_lost", "NaN " * 8 + f"9x{LONG}"), "1m45s", "10m"
    ),
    case(
        "kafka's data were lost, and the topic made anew",
        series("collector_aggregator_earlier_logs", at_step(8, "1", "2")),
        "1m45s",
        "2m15s",
        "CollectorLogReplaced",
    ),
    case(
        "a topic made anew long ago",
        series("collector_aggregator_earlier_logs", at_step(8, "1", "2")),
        "1m45s",
        "1h30m",
    ),
    case(
        "a certificate of two weeks",
        series('probe_ssl_earliest_cert_expiry{job="gateway",instance="gateway"}', f"1212000x{LONG}"),
        "35m",
        "55m",
        "CollectorCertificateExpires",
    ),
    case(
        "the gateway's own authority does not renew",
        series('probe_ssl_earliest_cert_expiry{job="gateway",instance="other"', f"9000x{LONG}"),
        "35m",
        "45m",
        "CollectorCertificateExpires",
    ),
    case(
        "a disk fills",
        series('node_filesystem_avail_bytes{job="node",instance="node",mountpoint="/",', at_step(8, "50", "9")),
        "11m",
        "13m",
        "CollectorDiskFills",
    ),
]


@pytest.mark.parametrize("tried", CASES, ids=lambda tried: tried.what)
def test_an_alert_fires_for_what_it_is_about_and_no_other_does(tried: Case, promtool: str, tmp_path: Path) -> None:
    assert (
        run(promtool, tmp_path, {**HEALTHY, **tried.series}, {tried.before: frozenset(), tried.at: tried.fires}) == ""
    )


def test_nothing_fires_where_nothing_is_wrong(promtool: str, tmp_path: Path) -> None:
    nothing: frozenset[str] = frozenset()
    assert run(promtool, tmp_path, HEALTHY, {"1m": nothing, "1h": nothing, "1h35m": nothing}) == ""


def run(promtool: str, folder: Path, values: Mapping[str, str], fires: Mapping[str, frozenset[str]]) -> str:
    """What promtool finds wrong: by time, exactly these alerts are to fire."""
    expected = [
        {
            "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
            "eval_time": time,
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
        }
        for time, names in fires.items()
    ]
    inputs = [{"series": name, "values": value} for name, value in values.items()]
    tests = [{"interval": "15s", "input_series": inputs, "promql_expr_test": expected}]
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_each_alert_is_seen_to_fire() -> None:
    assert set().union(*(tried.fires for tried in CASES)) == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_leads_to_a_page_that_says_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    found = re.split(r"^### ", (ROOT / page).read_text(), flags=re.MULTILINE)
    (section,) = [text for text in found if text.splitlines()[0].lower() == anchor]
    assert anchor == name.lower()
    for part in ("**Means**", "**Look at**", "**Do**"):
        assert part in section, part
    assert alert["labels"]["severity"] in {"critical", "warning"}


def test_rules_name_metrics_that_are_exported() -> None:
    known = {metric.name for metrics in METRICS.values() for metric in metrics}
    rules = [rule["expr"] for group in GROUPS for rule in group["rules"]]
    named = {name for rule in rules for name in re.findall(r"\bcollector_[a-z_]+", rule)}
    assert {name.removesuffix("_count") for name in named} <= known


@pytest.mark.parametrize("name", ["prometheus.yaml", "prometheus.local.yaml", "prometheus.kubernetes.yaml"])
def test_prometheus_takes_the_configuration(name: str, promtool: str, tmp_path: Path) -> None:
    configuration = yaml.safe_load((ROOT / "deploy/monitoring" / name).read_text())
    for job in configuration["scrape_configs"]:
        # Debian's is built without it.
        job.pop("kubernetes_sd_configs", None)
    (tmp_path / name).write_text(yaml.safe_dump(configuration))
    command = [promtool, "check", "config", "--syntax-only", tmp_path / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["prometheus.yaml", "prometheus.kubernetes.yaml"])
def test_each_job_that_alerts_know_is_scraped(name: str) -> None:
    """On the local stack `collector targets` names them: tests/integration/monitoring."""
    text = (ROOT / "deploy/monitoring" / name).read_text()
    for job in ("ingest", "worker", "aggregator", "rollup"):
        assert re.search(rf"\b{job}\b", text), job
