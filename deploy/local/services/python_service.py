"""One of our own programs as a process."""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of


class PythonService(Service):
    """`python -m MODULE`, told by its environment where to listen and whom to ask; it answers /readyz."""

    stop_seconds = 60.0  # longer than the bounds within which our services drain by themselves

    def __init__(self, name: str, port: int, log: Path, module: str, environment: Mapping[str, str]) -> None:
        super().__init__(name, port, log)
        self._module = module
        self._environment = environment

    def prepare(self) -> Command:
        listen = {"COLLECTOR_HOST": "127.0.0.1", "COLLECTOR_PORT": str(self.port)}
        # -P: a file of the folder that the user stands in must not be taken for a module.
        return Command([sys.executable, "-P", "-m", self._module], self.log, {**self._environment, **listen})

    def answers(self) -> bool:
        return status_of(self.port, "/readyz") == HTTPStatus.OK
