"""Each query of the dashboard, taken out of its file and asked of the real services. Grafana itself is not at hand."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from contract.hour import HOUR_MS, format_hour
from support.pipeline.eventually import WITHIN, eventually_stored
from support.pipeline.pipeline import Pipeline
from support.pipeline.stranger import Stranger
from support.pipeline.traffic import Traffic
from support.product.ingest_process import ingest_process
from support.product.worker_process import WorkerProcess

FOLDER: Final = Path(__file__).parents[3] / "deploy/grafana"
DASHBOARD: Final[dict[str, Any]] = json.loads((FOLDER / "dashboards/user-actions.json").read_text())
PROVISIONED: Final = (FOLDER / "provisioning/datasources/collector.yaml").read_text()
TARGETS: Final = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]


def targets(key: str, uid: str) -> list[dict[str, Any]]:
    """All targets of one data source; each has a `key`."""
    found = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
    mine = [target for target in found if target["datasource"]["uid"] == uid]
    assert mine
    assert all(key in target for target in mine)
    return mine


@pytest.fixture
def stranger(pipeline: Pipeline) -> Iterator[Stranger]:
    one = Stranger(pipeline.influx)
    yield one
    one.close()


@pytest.fixture
async def keeper(pipeline: Pipeline, environment: dict[str, str], stranger: Stranger, tmp_path: Path) -> WorkerProcess:
    """A keeper of `hours`, beside a worker that has counted some traffic; the pipeline ends it, whatever fails here."""
    pipeline.send(Traffic().actions(1_000), lines=20)
    pipeline.started()
    process = WorkerProcess("keeper", tmp_path, environment, module="aggregator.rollup")
    pipeline.workers.append(process)
    process.start()
    await pipeline.counted()

    async def has_come_through() -> bool:
        return any(stranger.sums(pipeline.this_hour, pipeline.this_hour + HOUR_MS)[0])

    await eventually_stored(has_come_through, WITHIN, process.log_tail)
    return process


def span(pipeline: Pipeline) -> tuple[str, str]:
    """What Grafana would fill in for the last 24 hours."""
    return format_hour(pipeline.this_hour - 23 * HOUR_MS), format_hour(pipeline.this_hour + HOUR_MS)


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_names_a_data_source_that_is_provisioned(target: dict[str, Any]) -> None:
    kinds = dict(re.findall(r"^    uid: (\S+)\n    type: (\S+)$", PROVISIONED, re.MULTILINE))

    assert kinds[target["datasource"]["uid"]] == target["datasource"]["type"]


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert all(x < 24 for x, _ in cells)


@pytest.mark.usefixtures("keeper")
async def test_each_influxql_query_returns_rows(pipeline: Pipeline, stranger: Stranger) -> None:
    start, end = span(pipeline)
    for target in targets("query", "collector-influxql"):
        query = target["query"].replace("$timeFilter", f"time >= '{start}' and time <= '{end}'")

        assert any(value for row in stranger.influxql(query) for value in row), query


@pytest.mark.usefixtures("keeper")
async def test_each_flux_query_returns_rows(pipeline: Pipeline, stranger: Stranger) -> None:
    start, end = span(pipeline)
    for target in targets("query", "collector-flux"):
        query = target["query"].replace("v.timeRangeStart", start).replace("v.timeRangeStop", end)

        assert any(int(row["_value"]) for row in stranger.flux(query)), query


@pytest.mark.usefixtures("keeper")
def test_each_address_of_the_api_returns_the_columns_that_are_shown(aggregator: str) -> None:
    for target in targets("url", "collector-api"):
        answer = httpx.get(aggregator + target["url"].replace("${zone}", "Europe/Berlin"), timeout=60)
        answer.raise_for_status()
        columns = {column["selector"] for column in target["columns"]}
        if target["type"] == "csv":
            head, *rows = answer.text.splitlines()
            assert columns <= set(head.split(","))
            assert rows
        else:
            assert columns <= answer.json().keys()
            assert all(answer.json()[column] is not None for column in columns)


async def test_each_metric_is_one_that_a_service_has(
    pipeline: Pipeline, aggregator: str, keeper: WorkerProcess
) -> None:
    expressions = [target["expr"] for target in targets("expr", "collector-prometheus")]
    others = [aggregator, *(f"http://127.0.0.1:{port}" for port in (pipeline.workers[0].port, keeper.port))]
    async with ingest_process(pipeline.bootstrap, pipeline.topic) as ingest:
        pages = [(await ingest.client.get(f"{address}/metrics")).text for address in ("", *others)]
    there = set(re.findall(r"^# TYPE (\S+)", "\n".join(pages), re.MULTILINE))

    named = {name for expression in expressions for name in re.findall(r"collector_\w+", expression)}

    assert named
    assert {re.sub(r"_bucket$", "", name) for name in named} <= there
