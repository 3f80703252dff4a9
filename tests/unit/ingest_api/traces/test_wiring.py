import os
import subprocess
import sys

import pytest

API = """
from ingest_api.app import create_kafka_app
from ingest_api.settings import IngestSettings
create_kafka_app(IngestSettings())
print(any(name.startswith("opentelemetry.sdk") for name in __import__("sys").modules))
"""


@pytest.mark.parametrize(("traces", "imported"), [("off", "False"), ("otlp", "True")])
def test_an_api_without_traces_imports_no_sdk(traces: str, imported: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", API],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLLECTOR_TRACES": traces},
    )
    assert (ended.stdout.strip(), ended.returncode) == (imported, 0), ended.stderr
