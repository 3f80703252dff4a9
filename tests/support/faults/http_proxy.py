"""A proxy that understands requests, in front of InfluxDB or the ingest API; subclasses decide what happens to each."""

import asyncio
import re
from contextlib import suppress
from typing import Self

from deploy.local.services.ports import free_port


class HttpProxy:
    """Understands as much HTTP as clients in tests speak: a request has a head, and a body by length or in chunks."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: bytes) -> bytes | None:
        """The answer for its client; None: no answer, until the client gives up."""
        return await self.forward(request)

    async def forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.transport.close()

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
                answer = await self.answer(await _read_request(reader))
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                await writer.drain()
        finally:
            writer.transport.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(length[1])) if length else b""
    # With this header the answer ends where the connection does.
    return re.sub(rb"(?i)connection: [^\r]*\r\n", b"", head)[:-2] + b"Connection: close\r\n\r\n" + body


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """As they came, with their sizes."""
    chunks = b""
    while not chunks.endswith(b"\r\n0\r\n\r\n") and chunks != b"0\r\n\r\n":
        size = await reader.readuntil(b"\r\n")
        chunks += size + await reader.readexactly(int(size, 16) + len(b"\r\n"))
    return chunks


def writes(request: bytes, measurement: str = r"\w+") -> bool:
    """Whether it is a write that has a point of the measurement."""
    head, _, body = request.partition(b"\r\n\r\n")
    pattern = rb"(?m)^" + measurement.encode() + b","
    return head.startswith(b"POST /api/v2/write") and re.search(pattern, body) is not None


def is_success(answer: bytes) -> bool:
    """Whether it says that a write was done."""
    return b" 204 " in answer.split(b"\r\n", 1)[0]
