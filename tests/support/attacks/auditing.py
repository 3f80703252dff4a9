"""The audit, as somebody runs it once an attack is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from support.pipeline.collector_program import Auditor


@contextmanager
def auditor(environment: dict[str, str], folder: Path) -> Iterator[Auditor]:
    """With an aggregator that it asks."""
    service = PythonService("aggregator", free_port(), folder / "aggregator.log", "aggregator", environment)
    service.start()
    try:
        service.wait_until_ready()
        yield Auditor(environment, f"http://127.0.0.1:{service.port}")
    finally:
        service.kill()
