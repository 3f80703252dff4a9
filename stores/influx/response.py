"""An answer to an InfluxQL query, read so that none that was cut, or hides an error, is taken for a whole one."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from contract.errors import StoreUnavailable


class Series(msgspec.Struct):
    """Rows of one group: each begins with its time in ns."""

    columns: list[str] = []
    values: list[list[Any]] = []
    tags: dict[str, str] = {}
    partial: bool = False


class _Result(msgspec.Struct):
    statement_id: int = 0
    series: list[Series] = []
    partial: bool = False
    error: str | None = None


class _Chunk(msgspec.Struct):
    results: list[_Result] = []
    error: str | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_chunks = msgspec.json.Decoder(_Chunk).decode_lines


def decode_answer(body: bytes, statements: int = 1) -> list[list[Series]]:
    """Each statement's series. A series that came in several chunks stands there several times.

    `body` is the answer to `chunked=true`: one JSON document a line. (Without it, 1.8 drops what exceeds its
    max-row-limit, and at the limit exactly it does not even say `partial`.) A chunk says `partial` if more will follow.

    Raises StoreUnavailable where a statement failed, or its last chunk is missing.
    """
    try:
        chunks = _decode_chunks(body)
    except msgspec.DecodeError as error:
        raise _unreadable(body, error) from error
    answers: list[list[Series]] = [[] for _ in range(statements)]
    complete = [False] * statements
    for chunk in chunks:
        _raise_error(chunk.error)
        for result in chunk.results:
            _raise_error(result.error)
            answers[result.statement_id] += result.series
            complete[result.statement_id] = not result.partial and not any(series.partial for series in result.series)
    if not all(complete):
        raise StoreUnavailable(f"answer cut after {len(body)} bytes", reason="answer_cut")
    return answers


async def stream_answer(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[Series]]:
    """One statement's series, chunk by chunk, from an answer that comes in any pieces. Raises as decode_answer does."""
    complete, size = False, 0
    async for line in _lines_in(pieces):
        size += len(line)
        try:
            chunk = _decode_chunk(line)
        except msgspec.DecodeError as error:
            raise _unreadable(line, error) from error
        _raise_error(chunk.error)
        for result in chunk.results:
            _raise_error(result.error)
            complete = not result.partial and not any(series.partial for series in result.series)
            yield result.series
    if not complete:
        raise StoreUnavailable(f"answer cut after {size} bytes", reason="answer_cut")


async def _lines_in(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    begun: list[bytes] = []
    async for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            if whole := b"".join([*begun, line]):
                yield whole
            begun = []
        begun.append(rest)
    if whole := b"".join(begun):
        yield whole


def _unreadable(text: bytes, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"answer {text[:200]!r}: {error}", reason="answer_unreadable")


def _raise_error(text: str | None) -> None:
    if text is not None:
        raise StoreUnavailable(f"query failed: {text}", reason="query_failed")
