"""The aggregator, asked by schemathesis for whatever its OpenAPI document allows, and for what it does not."""

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


def test_no_answer_has_a_status_a_type_a_header_or_a_body_that_is_not_documented(
    product: Product, tmp_path: Path
) -> None:
    run = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{product.aggregator_port}/openapi.json"]
    options = {
        "--exclude-path": ENDLESS,
        "--checks": ",".join(CHECKS),
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": "50",
        "--request-timeout": "60",
        "--seed": "1",
    }
    flags = [part for option in options.items() for part in option]
    environment = os.environ | {"PYTHONPATH": str(python_packages()), "NO_COLOR": "1"}

    told = subprocess.run(
        [*run, *flags], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=280
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert "Tested: 9" in told.stdout
