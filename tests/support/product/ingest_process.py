"""The ingest API as orchestrators see it: a process."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from deploy.local.services.ports import free_port

LONGEST_SECONDS = 30.0
"""No answer may take longer, whatever happens to Kafka."""


class IngestProcess:
    """A running process, and a client of it."""

    def __init__(self, process: Process, client: httpx.AsyncClient) -> None:
        self.process = process
        self.client = client

    async def post(self, user: str = "u", timestamp: int = 1_700_000_000_000) -> httpx.Response:
        return await self.client.post("/analytics", params={"timestamp": timestamp, "user": user, "event": "click"})

    async def acknowledges(self, user: str) -> None:
        """Returns once it has: with a short delivery timeout the first attempt may fail on a slow machine."""
        while (await self.post(user)).status_code != 204:
            pass

    async def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        (value,) = [line.split()[1] for line in lines if line.split()[0] == f"collector_ingest_{name}"]
        return float(value)

    async def in_flight(self, actions: int) -> None:
        """Returns once so many actions wait for Kafka."""
        while await self.metric("actions_in_flight") != actions:
            pass

    async def ready(self) -> None:
        """Returns once it can publish."""
        while (await self.client.get("/readyz")).status_code != 200:
            pass

    async def not_ready(self) -> httpx.Response:
        """The answer that says why it cannot publish, once it says so."""
        while (answer := await self.client.get("/readyz")).status_code == 200:
            pass
        return answer

    async def refuses_connections(self) -> None:
        """Returns once nobody can connect any more."""
        while True:
            try:
                _, writer = await asyncio.open_connection(self.client.base_url.host, self.client.base_url.port)
            except ConnectionRefusedError:
                return
            except ConnectionResetError:  # it was waiting to be accepted
                continue
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()


@asynccontextmanager
async def ingest_process(bootstrap: str, topic: str, **settings: str) -> AsyncIterator[IngestProcess]:
    """The process, once it listens; it need not have reached Kafka. `settings` without their prefix."""
    port = free_port()
    environment = {
        "COLLECTOR_PORT": str(port),
        "COLLECTOR_KAFKA_BOOTSTRAP": bootstrap,
        "COLLECTOR_TOPIC": topic,
        **{f"COLLECTOR_{name.upper()}": value for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_api", env={**os.environ, **environment}, stderr=PIPE
    )
    try:
        assert process.stderr is not None
        while b"running on" not in await process.stderr.readline():
            assert process.returncode is None
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST_SECONDS) as client:
            yield IngestProcess(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
