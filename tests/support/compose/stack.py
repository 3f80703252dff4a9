"""The stack in a folder of its own, and what an operator does with it."""

import os
import shutil
import signal
import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import msgspec

from support.compose.guide import DEPLOY

URL: Final = "https://localhost:8443"
SECONDS: Final = 300.0
"""The longest wait for containers on a machine that does other things, too."""
OURS: Final = ("ingest", "worker", "aggregator", "rollup")


_SLOW_MACHINE: Final = """\
services:
  ingest:
    environment:
      COLLECTOR_INGEST_DELIVERY_TIMEOUT: PT50S
      COLLECTOR_INGEST_DRAIN_TIMEOUT: PT70S
    stop_grace_period: 90s
"""
"""While a dozen processes start on two cores, Kafka may take long to acknowledge: that is no outage."""


@dataclass(frozen=True, slots=True)
class Container:
    """As the engine sees it at one time."""

    id: str
    name: str
    service: str
    pid: int
    """0: it does not run."""
    exit_code: int
    health: str
    """Empty where nobody looks."""

    @property
    def is_ready(self) -> bool:
        return self.pid != 0 and self.health in {"healthy", ""}


class Stack:
    """deploy/compose.yaml, without a line changed; beside it, more time for Kafka."""

    def __init__(self, folder: Path) -> None:
        """Copies what it needs to `folder`; nothing is started."""
        self.folder = folder
        for part in ("gateway", "monitoring"):
            shutil.copytree(DEPLOY / part, folder / part)
        for file in ("compose.yaml", "restart.sh"):
            shutil.copy(DEPLOY / file, folder)
        (folder / "compose.override.yaml").write_text(_SLOW_MACHINE)

    def run(self, command: str) -> str:
        """What a command of the shell says on standard output; it must succeed."""
        ended = subprocess.run(
            ["bash", "-euc", command], cwd=self.folder, capture_output=True, text=True, check=False, timeout=2 * SECONDS
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}{self._logs()}"
        return ended.stdout

    def compose(self, arguments: str) -> str:
        return self.run(f"docker compose {arguments}")

    def up(self, *scales: str) -> None:
        """Returns once all are ready."""
        self.compose(" ".join(["up --detach --no-build --wait", *(f"--scale {scale}" for scale in scales)]))

    def containers(self, *services: str) -> list[Container]:
        """Those that there are, also ended ones; of these services, or of all."""
        ids = self.compose("ps --all --quiet " + " ".join(services)).split()
        return [_container(each) for each in msgspec.json.decode(self.run(" ".join(["docker inspect", *ids])))]

    def kill(self, *services: str) -> None:
        """All their containers at once, as a crash ends them: who is ended by `docker kill` is not started again."""
        for container in self.containers(*services):
            os.kill(container.pid, signal.SIGKILL)

    def exit_codes_since(self, began: datetime) -> dict[str, int]:
        """Of the containers that ended from then on, by their names."""
        span = f"--since {began.timestamp()} --until {datetime.now(UTC).timestamp()}"
        told = self.run(f"docker events {span} --filter event=die --format '{{{{json .Actor}}}}'")
        found = [msgspec.json.decode(line)["Attributes"] for line in told.splitlines()]
        return {each["name"]: int(each["exitCode"]) for each in found}

    def add_key(self, name: str, *scopes: str) -> str:
        """A new key's text."""
        return self.compose(
            " ".join([f"run --rm --no-TTY keys add {name}", *(f"--scope {scope}" for scope in scopes)])
        ).strip()

    def client(self, key: str) -> httpx.AsyncClient:
        """Trusts the gateway's authority, and has a key."""
        self.compose(
            "cp gateway:/data/caddy/pki/authorities/local/root.crt authority.crt"
        )  # it is another one once volumes were removed
        trust = ssl.create_default_context(cafile=str(self.folder / "authority.crt"))
        return httpx.AsyncClient(verify=trust, timeout=90, headers={"Authorization": f"Bearer {key}"})

    def _logs(self) -> str:
        return subprocess.run(
            ["docker", "compose", "logs", "--no-color", "--tail", "15"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        ).stdout


def _container(inspected: dict[str, dict[str, object]]) -> Container:
    state, config = inspected["State"], inspected["Config"]
    labels, health = config["Labels"], state.get("Health")
    assert isinstance(labels, dict)
    return Container(
        str(inspected["Id"]),
        str(inspected["Name"]).removeprefix("/"),
        labels["com.docker.compose.service"],
        int(str(state["Pid"])),
        int(str(state["ExitCode"])),
        str(health["Status"]) if isinstance(health, dict) else "",
    )
