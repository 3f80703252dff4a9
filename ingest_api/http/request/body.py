"""A request's body: counted while it streams, decompressed within bounds."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, NamedTuple

from fastapi import Request
from starlette.requests import ClientDisconnect

from ingest_api.errors import RequestRefused
from ingest_api.http.request.content_type import is_gzipped
from ingest_api.http.request.inflate import inflate, is_gzip
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory_budget import MemoryBudget, Reservation
from ingest_api.settings import IngestSettings
from service.client import ClientNames

_INFLATED_AT_ONCE: Final = 2
"""So many bodies may lie inflated in memory: one is looked at while the next one is inflated, others wait as sent."""


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
        self.budget = MemoryBudget(
            settings.ingest_max_in_flight_bytes, "bodies", of_one=settings.ingest_max_client_bytes
        )
        self._clients = ClientNames(settings.trusted_proxies)
        self._inflated = asyncio.Semaphore(_INFLATED_AT_ONCE)
        metrics.body_bytes.set_function(lambda: self.budget.used)

    @asynccontextmanager
    async def read(self, request: Request, longest: int | None = None) -> AsyncIterator[bytes]:
        """The body, decompressed, of `longest` bytes at most where that is given, instead of what the settings say.

        What it takes of memory is reserved as long as the context lasts: so nobody is waited for within. One that comes
        slowly takes no more than has come, however much it will be once it is inflated.

        Raises RequestRefused, or NotPublished where bodies, or those of one client, take all the memory they may.
        """
        gzipped = is_gzipped(request.headers.get("content-encoding"))
        limits = self._limits if longest is None else self._limits._replace(sent=longest, decompressed=longest)
        refuse_announced(request.headers.get("content-length"), limits)
        with self.budget.reservation(self._clients.of(request.scope)) as reservation:
            sent = await receive_body(request.stream(), limits=limits, reservation=reservation)
            if not is_gzip(sent, declared=gzipped):
                yield sent
                return
            async with self._inflated:
                yield await inflate(sent, limits.decompressed, reservation)

    async def pass_over(self, request: Request) -> None:
        """Returns at the body's end and keeps nothing of it, whatever it is. Raises RequestRefused."""
        refuse_announced(request.headers.get("content-length"), self._limits)
        with self.budget.reservation() as reservation:
            stream = _emptied(_counted(request.stream(), self._limits.sent))
            await receive_body(stream, limits=self._limits, reservation=reservation)


def refuse_announced(content_length: str | None, limits: BodyLimits) -> None:
    """Raises RequestRefused (413) for a body that is too large by its own header, before any of it is read."""
    if content_length is not None and content_length.isdigit() and int(content_length[:20]) > limits.sent:
        raise _too_large("body_too_large", f"the body has {content_length[:20]} bytes", limits.sent)


async def receive_body(stream: AsyncIterable[bytes], *, limits: BodyLimits, reservation: Reservation) -> bytes:
    """The whole body, as it is sent. What it takes of memory is reserved first.

    Raises RequestRefused (413 and 408 beyond a limit, 400 if it is cut off) and NotPublished (no memory).
    """
    pieces = []
    try:
        async with asyncio.timeout(limits.seconds):
            async for piece in _counted(stream, limits.sent):
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
