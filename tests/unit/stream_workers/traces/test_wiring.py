import os
import subprocess
import sys

import pytest

WORKER = """
from service.traces.opening import open_traces
from stores.memory import MemoryStore
from stream_workers.__main__ import build_app
from stream_workers.settings import WorkerSettings
from stream_workers.traces.wiring import WorkerTraces
settings = WorkerSettings()
process = open_traces(settings, "worker")
build_app(settings, MemoryStore(), WorkerTraces.of(settings, process) if process else None)
print(any(name.startswith("opentelemetry.sdk") for name in __import__("sys").modules))
"""


@pytest.mark.parametrize(("traces", "imported"), [("off", "False"), ("otlp", "True")])
def test_a_worker_without_traces_imports_no_sdk(traces: str, imported: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WORKER],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLLECTOR_TRACES": traces},
    )
    assert (ended.stdout.strip(), ended.returncode) == (imported, 0), ended.stderr
