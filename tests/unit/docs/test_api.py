"""docs/api.md: what its examples give is tested with real clients; here, that none is left out, and what they name."""

import re
from pathlib import Path

from aggregator.app import create_app
from aggregator.http.representations import COMPLETENESS_IN_OPENAPI
from aggregator.http.spans.tables import HourRow
from aggregator.settings import AggregatorSettings
from support.clients.api_page import PAGE, examples
from support.fixtures.aggregator import AggregatorFixture

ROOT = Path(__file__).parents[3]
TEXT = PAGE.read_text()
TESTS = (ROOT / "tests/clients/test_api_page.py").read_text()


def test_every_block_that_can_be_run_is_run() -> None:
    runnable = re.findall(r"^```(?:bash|python)$", TEXT, re.MULTILINE)
    assert len(examples()) == len(runnable)
    assert all(f'"{example.heading}"' in TESTS for example in examples())


def test_the_paths_are_those_that_openapi_has() -> None:
    fixture = AggregatorFixture()
    app = create_app(AggregatorSettings(), fixture.store, fixture.end_offsets, fixture.clock)
    described = set(app.openapi()["paths"]) | {"/v1/hours/2026-11-24T09"}
    assert set(re.findall(r"^\| `GET ([^?`]+)", TEXT, re.MULTILINE)) <= described


def test_the_header_line_and_the_headers_are_what_answers_have() -> None:
    assert f"```csv\n{','.join(HourRow.model_fields)}\n```" in TEXT
    named = set(re.findall(r"`(Collector-(?!Position)[\w-]+)`", TEXT))
    assert named == set(COMPLETENESS_IN_OPENAPI) - {"Cache-Control"}
