"""Both APIs, asked by schemathesis for whatever their OpenAPI documents allow, and for what these do not."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from support.builds.clients import python_packages
from support.clients.product import Product

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ENDLESS: Final = "/v1/live"
PHASES: Final = "examples,coverage,fuzzing"
WITHOUT_EXAMPLES: Final = "coverage,fuzzing"
"""The tool has no serializer for NDJSON's."""


@pytest.mark.parametrize(
    ("port", "phases", "tested"),
    [("aggregator_port", PHASES, 9), ("port", WITHOUT_EXAMPLES, 23)],
    ids=["aggregator", "ingest"],
)
def test_no_answer_has_a_status_a_type_a_header_or_a_body_that_is_not_documented(
    product: Product, tmp_path: Path, port: str, phases: str, tested: int
) -> None:
    document = f"http://127.0.0.1:{getattr(product, port)}/openapi.json"
    run = [sys.executable, "-m", "schemathesis.cli", "run", document]
    options = {
        "--exclude-path": ENDLESS,
        "--checks": ",".join(CHECKS),
        "--phases": phases,
        "--max-examples": "30",
        "--request-timeout": "60",
        "--seed": "1",
    }
    flags = [part for option in options.items() for part in option]
    environment = os.environ | {"PYTHONPATH": str(python_packages()), "NO_COLOR": "1"}

    told = subprocess.run(
        [*run, *flags], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=280
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert f"Tested: {tested}" in told.stdout
