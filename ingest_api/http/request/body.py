"""A request's body: counted while it streams, decompressed within bounds."""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, NamedTuple

from fastapi import Request
from starlette.requests import ClientDisconnect

from ingest_api.errors import RequestRefused
from ingest_api.http.request.content_type import is_gzipped
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory_budget import MemoryBudget, Reservation
from ingest_api.settings import IngestSettings

_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_BEGINS: Final = b"\x1f\x8b"
"""No JSON begins so."""
_PIECE: Final = 256 * 1024
"""Decompressing so many bytes takes about a millisecond; then others have their turn."""


class BodyLimits(NamedTuple):
    """Most bytes of a body, as it is sent and once decompressed, and the longest time for it to come."""

    sent: int
    decompressed: int
    seconds: float


class BodyReader:
    """Reads requests' bodies, within the limits of each and of the memory that all may take."""

    def __init__(self, settings: IngestSettings, metrics: Metrics) -> None:
        self._limits = BodyLimits(
            sent=settings.ingest_max_body_bytes,
            decompressed=settings.ingest_max_decompressed_bytes,
            seconds=settings.ingest_body_timeout.total_seconds(),
        )
        self._budget = MemoryBudget(settings.ingest_max_in_flight_bytes, "bodies")
        metrics.body_bytes.set_function(lambda: self._budget.used)

    @asynccontextmanager
    async def read(self, request: Request, longest: int | None = None) -> AsyncIterator[bytes]:
        """The body, decompressed, of `longest` bytes at most where that is given, instead of what the settings say.

        What it takes of memory is reserved as long as the context lasts.

        Raises RequestRefused, or NotPublished where bodies take all the memory they may.
        """
        gzipped = is_gzipped(request.headers.get("content-encoding"))
        limits = self._limits if longest is None else self._limits._replace(sent=longest, decompressed=longest)
        refuse_announced(request.headers.get("content-length"), limits)
        with self._budget.reservation() as reservation:
            yield await read_body(request.stream(), gzipped=gzipped, limits=limits, reservation=reservation)

    async def pass_over(self, request: Request) -> None:
        """Returns at the body's end and keeps nothing of it, whatever it is. Raises RequestRefused."""
        refuse_announced(request.headers.get("content-length"), self._limits)
        with self._budget.reservation() as reservation:
            stream = _emptied(_counted(request.stream(), self._limits.sent))
            await read_body(stream, gzipped=False, limits=self._limits, reservation=reservation)


def refuse_announced(content_length: str | None, limits: BodyLimits) -> None:
    """Raises RequestRefused (413) for a body that is too large by its own header, before any of it is read."""
    if content_length is not None and content_length.isdigit() and int(content_length[:20]) > limits.sent:
        raise _too_large("body_too_large", f"the body has {content_length[:20]} bytes", limits.sent)


async def read_body(
    stream: AsyncIterable[bytes], *, gzipped: bool, limits: BodyLimits, reservation: Reservation
) -> bytes:
    """The whole body. What it takes of memory is reserved first. Gzip is known by its first bytes, `gzipped` or not.

    Raises RequestRefused (413 and 408 beyond a limit, 400 if it is cut off or not gzip) and NotPublished (no memory).
    """
    pieces = []
    sent = _counted(stream, limits.sent)
    try:
        async with asyncio.timeout(limits.seconds):
            async for piece in _plain(sent, limits.decompressed, gzipped=gzipped):
                reservation.reserve(len(piece))
                pieces.append(piece)
    except TimeoutError as error:
        detail = f"the body did not come within {limits.seconds:g} s"
        # Whatever else comes on this connection is the rest of the body.
        headers = {"Connection": "close"}
        raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", detail, headers=headers) from error
    return b"".join(pieces)


def _refused(code: str, detail: str) -> RequestRefused:
    return RequestRefused(HTTPStatus.BAD_REQUEST, code, detail)


def _too_large(code: str, what: str, limit: int) -> RequestRefused:
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code, f"{what}; at most {limit} are accepted")


async def _counted(stream: AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    try:
        async for piece in stream:
            size += len(piece)
            if size > limit:
                raise _too_large("body_too_large", "the body has more bytes", limit)
            yield piece
    except ClientDisconnect as error:
        raise _refused("body_cut_off", "the connection was closed before the body's end") from error


async def _emptied(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for _ in stream:
        yield b""


async def _plain(stream: AsyncIterator[bytes], limit: int, *, gzipped: bool) -> AsyncIterator[bytes]:
    begin = b""
    while len(begin) < len(_GZIP_BEGINS) and (piece := await anext(stream, None)) is not None:
        begin += piece
    if begin.startswith(_GZIP_BEGINS) or (gzipped and begin):
        async for piece in _decompressed(_all(begin, stream), limit):
            yield piece
    else:
        yield begin
        async for piece in stream:
            yield piece


async def _all(begin: bytes, rest: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield begin
    async for piece in rest:
        yield piece


async def _decompressed(stream: AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    """Several members in a row are one gzip (RFC 1952). Never more than a piece is decompressed ahead of the count."""
    size = 0
    member = zlib.decompressobj(_GZIP)
    async for received in stream:
        data = received
        while data:
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            try:
                piece = member.decompress(data, _PIECE)
            except zlib.error as error:
                raise _refused("gzip_malformed", f"the body is not gzip: {error}") from error
            data = member.unused_data if member.eof else member.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise _too_large("body_too_large_decompressed", "decompressed, the body has more bytes", limit)
            yield piece
            await asyncio.sleep(0)
    if not member.eof:
        raise _refused("gzip_cut_off", "the gzip ends before its end")
