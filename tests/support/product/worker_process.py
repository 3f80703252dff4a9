"""A worker as orchestrators see it: a process that is started, probed, signalled, and ends with a code."""

import re
import signal
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from deploy.local.services.ports import free_port
from deploy.local.services.process import Process
from deploy.local.services.python_service import PythonService

END_WITHIN = 60.0


class WorkerProcess(PythonService):
    """`python -m stream_workers` with the settings of `environment`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        environment: Mapping[str, str],
        module: str = "stream_workers",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables`: more of its environment, which are no settings."""
        super().__init__(name, free_port(), folder / f"{name}.log", module, {**environment, **(variables or {})})

    @property
    def running(self) -> Process:
        assert self.process is not None
        return self.process

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.running.send(signal.SIGTERM)

    def wait_for_end(self, within: float = END_WITHIN) -> int:
        """The exit code, once it has ended."""
        assert self.running.wait(within), f"{self.name} still runs after {within} s\n{self.log_tail()}"
        code = self.running.reap()
        assert code is not None
        return code

    def end_if_alive(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.kill()

    def get(self, path: str) -> httpx.Response | None:
        """The answer to a GET; None while nobody listens."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=30)
        except httpx.TransportError:
            return None

    def is_ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.status_code == HTTPStatus.OK

    def readiness(self) -> dict[str, Any] | None:
        """What /readyz says; None while nobody listens."""
        answer = self.get("/readyz")
        return None if answer is None else dict(answer.json())

    def owned(self) -> list[int]:
        """The partitions that it counts; none while it is not ready."""
        readiness = self.readiness()
        return readiness["partitions"] if readiness and readiness["ready"] else []

    def why_not_ready(self) -> str:
        """Its reason; nothing if it is ready, or does not listen yet."""
        readiness = self.readiness()
        return str(readiness["reason"]) if readiness and not readiness["ready"] else ""

    def metric(self, name: str, **labels: str) -> float:
        """A metric's value, summed over the labels that are not named; 0 if it is not there."""
        answer = self.get("/metrics")
        assert answer is not None
        total = 0.0
        for line in answer.text.splitlines():
            found = re.fullmatch(rf"collector_worker_{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{label}="{value}"' in (found[1] or "") for label, value in labels.items()):
                total += float(found[2])
        return total

    def logged(self) -> str:
        return self.log.read_text()
