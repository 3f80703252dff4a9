"""A server on a real socket that answers as it is told, and remembers what it was asked."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from stores.settings import InfluxSettings

Respond = Callable[["Request", asyncio.StreamWriter], bool]


class Request(NamedTuple):
    """One request; `body` is unpacked."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.body.split(b"\n")


def answer(status: int, body: str = "", *headers: str) -> Respond:
    """A whole answer."""

    def respond(_: Request, writer: asyncio.StreamWriter) -> bool:
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *headers]
        if status != HTTPStatus.NO_CONTENT:
            head.append(f"Content-Length: {len(body.encode())}")
        writer.write("\r\n".join([*head, "", body]).encode())
        return True

    return respond


def raw(text: bytes) -> Respond:
    """These bytes, then the connection is cut."""

    def respond(_: Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(text)
        return False

    return respond


CUT = raw(b"")
STORED = answer(204)


def silence(_: Request, __: asyncio.StreamWriter) -> bool:
    """No answer, ever."""
    return True


@dataclass
class Stub:
    """Each request takes the next answer; the last one stays."""

    url: str
    answers: list[Respond]
    requests: list[Request] = field(default_factory=list)

    def settings(self, **changes: object) -> InfluxSettings:
        return InfluxSettings(influx_url=self.url, influx_connections=1, **changes)  # type: ignore[arg-type] # checked by pydantic

    def respond(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(request)
        respond = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return respond(request, writer)


@asynccontextmanager
async def influx_stub(*answers: Respond) -> AsyncIterator[Stub]:
    """The server, for as long as the block lasts."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) and stub.respond(request, writer):
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stub = Stub(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", list(answers))
    async with server:
        yield stub


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    target = urlsplit(head[0].split()[1])
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Request(target.path, parse_qs(target.query), headers, body)
