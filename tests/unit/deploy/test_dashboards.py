"""The dashboards in the repository are those that their builder makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards.written import texts

FOLDER = Path(__file__).parents[3] / "deploy/grafana/dashboards"
TEXTS = texts()


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_checked_in_is_what_the_builder_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == TEXTS[name], "python -m deploy.dashboards writes it"


@pytest.mark.parametrize("name", TEXTS)
def test_panels_fill_whole_rows_and_say_what_they_show(name: str) -> None:
    panels = panels_of(name)
    assert all(panel["title"] and panel["description"] for panel in panels)
    assert all(sum(panel["gridPos"]["w"] for panel in row) == 24 for row in rows_of(panels))


@pytest.mark.parametrize("metric", ["lost_records", "earlier_logs"])
def test_the_overview_shows_what_no_other_number_tells_of(metric: str) -> None:
    queries = [target["expr"] for panel in panels_of("overview.json") for target in panel["targets"]]
    assert f"max(collector_aggregator_{metric})" in queries


def test_dashboards_have_names_of_their_own() -> None:
    boards = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    assert len({board["uid"] for board in boards}) == len({board["title"] for board in boards}) == len(boards) == 4


def panels_of(name: str) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(TEXTS[name])["panels"] if panel["type"] != "row"]


def rows_of(panels: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    heights = sorted({panel["gridPos"]["y"] for panel in panels})
    return [[panel for panel in panels if panel["gridPos"]["y"] == height] for height in heights]
