"""A process behind the gateway: answers each request with fixed bytes, and remembers what it was sent."""

import asyncio
from typing import Self

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-mine: yes\r\n\r\nok"


_LARGEST = 1 << 20


class Upstream:
    """As a context manager it listens on `port`. With an empty answer it closes the connection instead."""

    def __init__(self, answer: bytes = OK, port: int = 0) -> None:
        self.answer = answer
        self.port = port
        self.requests: list[bytes] = []
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_LARGEST)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head + await _body(head.lower(), reader))
        writer.write(self.answer)
        await writer.drain()
        return bool(self.answer)


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    if b"\r\ncontent-length: " in head:
        return await reader.readexactly(int(head.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0]))
    if b"\r\ntransfer-encoding: chunked" in head:
        return await reader.readuntil(b"0\r\n\r\n")
    return b""
