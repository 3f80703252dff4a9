"""`collector up` and the commands beside it, as a person at a shell uses them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local.services.ports import free_port

COLLECTOR: Final = str(Path(sys.executable).with_name("collector"))
SECONDS: Final = 240
TIMESTAMP: Final = 1_431_857_103_000


class LocalStack:
    """One stack; no setting of ours for InfluxDB is in its environment."""

    def __init__(self, data: Path) -> None:
        """Starts nothing."""
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __call__(self, command: str, *arguments: str, check: bool = True) -> str:
        """What a command of the program prints. `check`: it has to succeed."""
        ended = self._run(command, *arguments)
        assert not check or ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def error_of(self, command: str, *arguments: str) -> str:
        """What a command that has to fail says of it."""
        ended = self._run(command, *arguments)
        assert ended.returncode, ended.stdout
        return ended.stderr

    def up(self, *arguments: str) -> None:
        """Returns when all is ready."""
        self("up", "--detach", "--port", str(self.port), *arguments)

    def processes(self) -> dict[str, dict[str, Any]]:
        """What `collector ps` shows of each, by name."""
        return {row["name"]: row for row in json.loads(self("ps", "--json"))}

    def states(self) -> dict[str, str]:
        """Which of them run, by name."""
        return {name: row["state"] for name, row in self.processes().items()}

    def send(self, name: str, number: int) -> None:
        """A signal to one of its processes."""
        os.kill(int(self.processes()[name]["pid"]), number)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A process that hangs: it takes connections, and answers nothing."""
        self.send(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(name, signal.SIGCONT)

    def post(self, user: str) -> int:
        """The status that a click of a user's is answered with."""
        parameters = {"timestamp": str(TIMESTAMP), "user": user, "event": "click"}
        return httpx.post(f"{self.url}/analytics", params=parameters, timeout=SECONDS).status_code

    def _run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_INFLUX")}
        return subprocess.run(
            [COLLECTOR, command, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env=environment,
        )
