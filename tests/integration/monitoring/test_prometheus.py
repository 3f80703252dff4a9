"""A real Prometheus watches a real stack: what is asked is there, and an outage fires its alert and no other."""

import json
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

import pytest
import yaml

from support.monitoring.prometheus import CONFIGURED, EVERY, Prometheus
from support.monitoring.watched import WatchedStack
from support.pipeline.eventually import eventually

WITHIN: Final = 120.0
EXPRESSIONS: Final = [
    rule["expr"]
    for group in yaml.safe_load((CONFIGURED / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
SELECTOR: Final = re.compile(r"\b((?:collector|up|probe|node)[_:a-z]*)(\{[^}]*\})?")
OUTAGES: Final[dict[str, tuple[Callable[[WatchedStack], AbstractContextManager[None]], str]]] = {
    "worker": (lambda stack: stack.killed_worker(), "CollectorDown"),
    "kafka": (lambda stack: stack.stopped("kafka"), "CollectorKafkaUnreachable"),
    "store": (lambda stack: stack.stopped("influxdb"), "CollectorStoreFailing"),
}

pytestmark = pytest.mark.timeout(600)


async def test_all_targets_are_up(watcher: Prometheus) -> None:
    jobs = {"ingest", "worker", "aggregator", "rollup", "node", "gateway"}
    await eventually(lambda: {one["metric"]["job"] for one in watcher.query("up == 1")} == jobs, WITHIN)
    assert watcher.query("up == 0") == []


async def test_each_rule_is_evaluated(watcher: Prometheus) -> None:
    await eventually(lambda: all(rule["health"] == "ok" for rule in watcher.rules()), WITHIN)
    assert len(watcher.rules()) == len(EXPRESSIONS)


@pytest.fixture
async def calm(watcher: Prometheus) -> None:
    """Returns once nothing fires, or is about to, that an outage could have left."""
    await eventually(lambda: not of_ours(watcher, "firing") | of_ours(watcher, "pending"), WITHIN)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("dependency", OUTAGES)
async def test_an_outage_fires_the_alert_that_names_it_and_no_other(
    dependency: str, stack: WatchedStack, watcher: Prometheus
) -> None:
    outage, alert = OUTAGES[dependency]
    began = time.monotonic()
    with outage(stack):
        # Workers notice it last. For as long as ten minutes of an outage are where alerts are not made faster.
        fired = f'sum_over_time(ALERTS{{{firing(alert)},job="worker"}}[2m]) >= 20'
        await eventually(lambda: bool(watcher.query(fired)), WITHIN)
        since = f"[{int(time.monotonic() - began)}s]"
        others = watcher.query(f"group by (alertname, job) (max_over_time(ALERTS{{{firing('Collector.*')}}}{since}))")
        assert {one["metric"]["alertname"] for one in others} - {"CollectorDiskFills"} == {alert}, others
    await eventually(lambda: not of_ours(watcher, "firing"), WITHIN)


async def test_each_series_that_an_alert_reads_is_there(watcher: Prometheus) -> None:
    """After outages: some are there only during one, or once there was one."""
    selectors = {"".join(found) for expression in EXPRESSIONS for found in SELECTOR.findall(expression)}
    # The stack's gateway has an authority of its own.
    here = {selector.replace('tls!="internal"', 'tls="internal"') for selector in selectors}
    missing = [one for one in sorted(here) if not watcher.query(f"last_over_time({one}[10m])")]
    assert missing == []


@pytest.mark.parametrize("name", ["overview", "ingest", "workers"])
async def test_each_panel_shows_something(name: str, watcher: Prometheus) -> None:
    board = json.loads((CONFIGURED.parent / f"grafana/dashboards/{name}.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert expressions
    empty = [one for one in expressions if not watcher.query(one.replace("$__rate_interval", f"{5 * EVERY}s"))]
    assert empty == []


def firing(alert: str) -> str:
    return f'alertname=~"{alert}",alertstate="firing"'


def of_ours(watcher: Prometheus, state: str) -> set[str]:
    """The machine's disk may be full."""
    return watcher.alerts(state) - {"CollectorDiskFills"}
