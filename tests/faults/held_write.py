"""A proxy before InfluxDB that holds one write back, lets all others pass, and delivers it when it is told to."""

import asyncio
import re
from contextlib import suppress
from typing import Self

from deploy.local.ports import free_port


class HeldWrite:
    """Understands as much HTTP as one client of ours speaks: a request has a head, and a body of a known length."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()
        self.held = asyncio.Event()
        """Set once a write was held back."""
        self.progress_since = 0
        """Writes of progress that passed and were acknowledged after it was held."""
        self._measurement: bytes | None = None
        self._request = b""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold_next(self, measurement: str) -> None:
        """The next write that has a point of `measurement` is held; its client hears nothing."""
        self._measurement = measurement.encode()

    async def deliver(self) -> None:
        """The held write arrives, long after its client gave up."""
        answer = await self._forward(self._request)
        assert b" 204 " in answer.split(b"\r\n", 1)[0], answer

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                request = await _read_request(reader)
                if self._measurement is not None and _writes(request, self._measurement):
                    self._measurement, self._request = None, request
                    self.held.set()
                    await reader.read()
                    return
                answer = await self._forward(request)
                if self.held.is_set() and _writes(request, b"progress") and b" 204 " in answer[:20]:
                    self.progress_since += 1
                writer.write(answer)
                await writer.drain()
        finally:
            writer.transport.close()

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.transport.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    # With this header the answer ends where the connection does.
    return re.sub(rb"(?i)connection: [^\r]*\r\n", b"", head)[:-2] + b"Connection: close\r\n\r\n" + body


def _writes(request: bytes, measurement: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    return head.startswith(b"POST /api/v2/write") and re.search(rb"(?m)^" + measurement + b",", body) is not None
