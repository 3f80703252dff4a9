"""The local stack, with traffic that does not end, and with outages made for real."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.local.services.ports import free_port

COLLECTOR = str(Path(sys.executable).with_name("collector"))
SECONDS = 240


class WatchedStack:
    """A stack with keys and TLS, as who runs it sees it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.key_file = data / "keys/operator.key"

    def __call__(self, command: str, *arguments: str, check: bool = True) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_INFLUX")}
        return subprocess.run(
            [COLLECTOR, command, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=check,
            env=environment,
        ).stdout

    def up(self) -> None:
        self("up", "--secure", "--detach", "--workers", "1", "--port", str(self.port))

    def send(self, name: str, number: int) -> None:
        """A signal to one of its processes."""
        (row,) = [row for row in json.loads(self("ps", "--json")) if row["name"] == name]
        os.kill(int(row["pid"]), number)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A process that hangs: it takes connections, and answers nothing."""
        self.send(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(name, signal.SIGCONT)

    @contextmanager
    def killed_worker(self) -> Iterator[None]:
        """The only one."""
        self.send("worker-1", signal.SIGKILL)
        try:
            yield
        finally:
            self("scale", "workers", "1")

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """An action after the other, whatever is answered; one of two a second breaks a rule."""
        done = threading.Event()
        key = self.key_file.read_text().strip()
        trusting = ssl.create_default_context(cafile=self.data / "gateway/caddy/pki/authorities/local/root.crt")

        def send() -> None:
            number = 0
            with httpx.Client(verify=trusting, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
                while not done.wait(0.2):
                    number += 1
                    action: dict[str, Any] = {
                        "timestamp": time.time_ns() // 10**6,
                        "user": f"u{number}",
                        "event": "click",
                    }
                    if number == 1:
                        action["event"] = "NO EVENT"
                    try:
                        client.post(f"{self.url}/analytics", params=action, timeout=2)
                        client.get(f"{self.url}/analytics", params={"timestamp": action["timestamp"]}, timeout=2)
                    except httpx.HTTPError:
                        continue

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            done.set()
            sender.join()
