"""Answers that have no end, through real Caddy with our Caddyfile."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port

SECONDS = 60
BOUND = 1
"""Seconds that an answer may take, unless it is one without an end."""


class Telling:
    """A service that tells whoever asks what it is given to tell, line by line, and never ends."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._serving: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with closing(writer):
            if (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /readyz"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            while True:
                writer.write(await self.lines.get())
                await writer.drain()


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
async def telling() -> AsyncIterator[tuple[Telling, str]]:
    """The service, and its address."""
    one = Telling()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    yield one, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await one.end()


@pytest.fixture
async def gateway(telling: tuple[Telling, str], tmp_path: Path) -> AsyncIterator[Gateway]:
    environment = dict.fromkeys(("GATEWAY_INGEST", "GATEWAY_AGGREGATOR"), telling[1])
    settings = environment | {"GATEWAY_WRITE_TIMEOUT": f"{BOUND}s"}
    one = Gateway(tmp_path / "gateway", free_port(), tmp_path / "gateway.log", settings)
    try:
        one.start()
        await asyncio.to_thread(one.wait_until_ready)
        yield one
    finally:
        await asyncio.to_thread(one.kill)


async def listen(gateway: Gateway, telling: Telling, path: str, seconds: float) -> None:
    """Each line is told once the one before has come. Raises IncompleteReadError where no more come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    end = asyncio.get_running_loop().time() + seconds
    async with closing(writer), asyncio.timeout(SECONDS):
        for number in itertools.count():
            if asyncio.get_running_loop().time() > end:
                return
            line = b"id: %d\n" % number
            telling.lines.put_nowait(line)
            await reader.readuntil(line)


async def test_the_current_hour_is_told_at_once_and_for_longer_than_other_answers_may_take(
    gateway: Gateway, telling: tuple[Telling, str]
) -> None:
    await listen(gateway, telling[0], "/v1/live", 3 * BOUND)


async def test_another_answer_without_an_end_is_cut(gateway: Gateway, telling: tuple[Telling, str]) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await listen(gateway, telling[0], "/v1/hours", SECONDS)
