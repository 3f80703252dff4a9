"""What the services export, in a real run, is what their lists say, and it is true."""

import re
from collections.abc import Iterable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.commands.operating.metrics import METRICS
from deploy.local.services.python_service import PythonService
from support.end_to_end.oracle import until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import actions, send
from support.pipeline.eventually import eventually

ACTIONS = 2_000


@pytest.fixture
async def running(pipeline: Pipeline, http: httpx.AsyncClient, now: int) -> dict[str, PythonService]:
    """By service, after each had something to do: some actions came twice, one is rejected."""
    services = {
        "ingest_api": pipeline.ingest,
        "stream_workers": pipeline.start_worker(),
        "aggregator": pipeline.aggregator,
        "aggregator.rollup": pipeline.start("aggregator.rollup"),
    }
    pipeline.wait_until_ready()
    made = actions(4, ACTIONS, now=now, hours=3, users=50, with_ids=True)
    for sent in (made, made[:100]):
        await send(http, pipeline.ingest_url, sent)
    refused = await http.post(f"{pipeline.ingest_url}/analytics?user=u&event=none&timestamp={now}")
    assert refused.status_code == 400
    await until_caught_up(http, pipeline.aggregator_url)
    return services


def shown(service: PythonService) -> str:
    return httpx.get(f"http://127.0.0.1:{service.port}/metrics", timeout=30).text


def value(text: str, name: str, **labels: str) -> float:
    """Summed over the labels that are not named."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = [one.value for one in samples if one.name == name and labels.items() <= one.labels.items()]
    assert found, name
    return sum(found)


def labels_by_metric(text: str) -> dict[str, set[str]]:
    """Of each metric that has samples."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        for sample in family.samples:
            found.setdefault(name, set()).update(sample.labels.keys() - {"le"})
    return found


async def test_each_service_exports_what_is_on_its_list_and_nothing_else(running: dict[str, PythonService]) -> None:
    for name, service in running.items():
        text = shown(service)
        exported = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        assert exported == {metric.name: str(metric.kind) for metric in METRICS[name]}, name
        listed = {metric.name: set(metric.labels) for metric in METRICS[name]}
        for metric, labels in labels_by_metric(text).items():
            assert labels == listed[metric], metric


async def test_what_metrics_say_is_what_happened(running: dict[str, PythonService], now: int) -> None:
    ingest, worker, aggregator, rollup = running.values()

    assert value(shown(ingest), "collector_ingest_actions_accepted_total") == ACTIONS + 100
    assert value(shown(ingest), "collector_ingest_actions_rejected_total") == 1
    assert value(shown(ingest), "collector_http_requests_total") > 0
    text = shown(worker)
    assert by_outcome(text) == {"counted": ACTIONS, "duplicate": 100, "rejected": 0}
    assert len(re.findall(r"^collector_worker_lag_seconds\{", text, re.MULTILINE)) == 8
    assert value(text, "collector_worker_lag_records") == value(text, "collector_worker_lag_seconds") == 0
    assert value(text, "collector_worker_step_seconds_count", step="store windows") > 0
    assert value(shown(aggregator), "collector_aggregator_lag_records") == 0
    assert value(shown(aggregator), "collector_aggregator_complete_through_timestamp_seconds") > now / 1000
    await eventually(lambda: value(shown(rollup), "collector_rollup_points_written_total") > 0)
    for service in running.values():
        assert value(shown(service), "collector_ready") == 1
        assert {line[-3:] for line in dependencies(shown(service))} == {"1.0"}


def by_outcome(text: str) -> dict[str, float]:
    outcomes = ("counted", "duplicate", "rejected")
    return {outcome: value(text, "collector_worker_lines_total", outcome=outcome) for outcome in outcomes}


def dependencies(text: str) -> Iterable[str]:
    return re.findall(r"^collector_dependency_up.*$", text, re.MULTILINE)
