"""Gzip, inflated within bounds."""

import asyncio
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from ingest_api.errors import RequestRefused
from ingest_api.publishing.memory_budget import Reservation

_GZIP: Final = 16 + zlib.MAX_WBITS
_BEGINS: Final = b"\x1f\x8b"
"""No JSON begins so."""
_PIECE: Final = 256 * 1024
"""Decompressing so many bytes takes about a millisecond; then others have their turn."""
_CALL: Final = 256
"""As long as decompressing so many bytes takes what surrounds it; and a turn of others, many times that."""
_READ: Final = 16 * 1024
"""So many bytes are handed over at a time: with each member's end, what is left of them is copied."""


def is_gzip(body: bytes, *, declared: bool) -> bool:
    """Known by its first bytes, `declared` or not; what is declared and is none must be refused."""
    return body.startswith(_BEGINS) or (declared and bool(body))


async def inflate(body: bytes, limit: int, reservation: Reservation) -> bytes:
    """All of its members (RFC 1952), of `limit` bytes at most. What it takes of memory is reserved first.

    Raises RequestRefused (413 beyond the limit, 400 if it is cut off or not gzip) and NotPublished (no memory).
    """
    inflated = bytearray()
    done = 0
    for piece in _pieces(body):
        size = len(inflated) + len(piece)
        if size > limit:
            detail = f"decompressed, the body has more bytes; at most {limit} are accepted"
            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large_decompressed", detail)
        reservation.grow_to(size)
        inflated += piece
        done += len(piece) + _CALL
        if done >= _PIECE:
            done = 0
            await asyncio.sleep(0)
    return bytes(inflated)


def _pieces(body: bytes) -> Iterator[bytes]:
    """Never more than a piece is inflated ahead of the count."""
    member = zlib.decompressobj(_GZIP)
    rest, data = memoryview(body), b""
    while data or rest:
        if not data:
            data, rest = bytes(rest[:_READ]), rest[_READ:]
        if member.eof:
            member = zlib.decompressobj(_GZIP)
        try:
            piece = member.decompress(data, _PIECE)
        except zlib.error as error:
            raise _malformed("gzip_malformed", f"the body is not gzip: {error}") from error
        data = member.unused_data if member.eof else member.unconsumed_tail
        yield piece
    if not member.eof:
        raise _malformed("gzip_cut_off", "the gzip ends before its end")


def _malformed(code: str, detail: str) -> RequestRefused:
    return RequestRefused(HTTPStatus.BAD_REQUEST, code, detail)
