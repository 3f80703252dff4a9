"""`collector up --secure`, as tests use it."""

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from deploy.local.services.ports import free_port

COLLECTOR = str(Path(sys.executable).with_name("collector"))
SECONDS = 240


class SecureStack:
    """As who runs it sees it; no setting of ours is in the environment."""

    def __init__(self, data: Path) -> None:
        """Starts nothing."""
        self.data = data
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.key_file = data / "keys/operator.key"

    def __call__(self, command: str, *arguments: str, check: bool = True) -> str:
        """What a command of the program prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_INFLUX")}
        return subprocess.run(
            [COLLECTOR, command, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=check,
            env=environment,
        ).stdout

    def processes(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in json.loads(self("ps", "--json"))}

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.data / "gateway/caddy/pki/authorities/local/root.crt")

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key_file.read_text().strip()}"}

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=self.trusting, headers=headers, timeout=60, trust_env=False)

    def up(self, *arguments: str) -> None:
        """Returns when all is ready."""
        self("up", "--secure", "--detach", "--port", str(self.port), *arguments)
