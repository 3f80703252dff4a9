"""One InfluxDB 2.7 node on loopback, with an organization and a token from its first start on."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from deploy.local.errors import ServiceFailed
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of

ORG = "collector"
_USER = "collector"
_PASSWORD = "collector"  # of a server that only this machine reaches


class InfluxDB2(Service):
    """A server whose data live in `folder`; they survive stop, kill and start."""

    def __init__(self, program: Path, folder: Path, port: int, token: str, log: Path | None = None) -> None:
        """`token` may do everything; it is made at the first start in `folder`, and stays."""
        super().__init__("influxdb2", port, log or folder / "influxdb2.log")
        self.program = program
        self._folder = folder
        self.token = token

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Command(
            [
                str(self.program),
                "run",
                f"--bolt-path={self._folder / 'influxd.bolt'}",
                f"--engine-path={self._folder / 'engine'}",
                f"--sqlite-path={self._folder / 'influxd.sqlite'}",
                f"--http-bind-address=127.0.0.1:{self.port}",
                "--reporting-disabled",
                "--log-level=warn",
            ],
            self.log,
        )

    def answers(self) -> bool:
        return status_of(self.port, "/health") == HTTPStatus.OK

    def wait_until_ready(self, check: Callable[[], None] = lambda: None) -> None:
        super().wait_until_ready(check)
        if httpx.get(f"{self.url}/api/v2/setup").raise_for_status().json()["allowed"]:
            self._onboard()

    def _onboard(self) -> None:
        answer = httpx.post(
            f"{self.url}/api/v2/setup",
            json={"username": _USER, "password": _PASSWORD, "org": ORG, "bucket": "unused", "token": self.token},
        )
        if answer.status_code != HTTPStatus.CREATED:
            raise ServiceFailed(self.name, f"refused its set-up: {answer.status_code} {answer.text}", self.log_tail())
