"""A file or a pipe of actions, in any form that is sent."""

import io
import zlib
from collections.abc import Iterable, Iterator
from gzip import GzipFile
from itertools import dropwhile
from typing import Final, NamedTuple, cast

from collector.sending.errors import FileUnreadable
from collector.sending.reading.array import elements_of
from collector.sending.reading.form import HEAD, Form, form_of, is_enough
from collector.sending.reading.line import Line
from collector.sending.reading.ndjson import lines_of
from collector.sending.reading.opening import NamedStream

_BUFFER: Final = 256 * 1024


class Source(NamedTuple):
    """What is to be sent."""

    unit: str
    """What its lines are called, and counted as: line or element."""
    lines: Iterator[Line]


def read_source(named: NamedStream, skip: int) -> Source:
    """The lines of a stream, or the elements of its array, after the first `skip` ones.

    Raises FileUnreadable: here for a form that is not sent; while lines are read for a file that is damaged.
    """
    stream, name = named
    try:
        form, stream = _opened(stream)
    except (FileUnreadable, OSError, EOFError, zlib.error) as error:
        raise _unreadable(name, error) from error
    unit, lines = ("element", elements_of(stream)) if form is Form.ARRAY else ("line", lines_of(stream))
    return Source(unit, dropwhile(lambda line: line.number <= skip, _named(lines, name, unit)))


def _opened(stream: io.BufferedIOBase) -> tuple[Form, io.BufferedIOBase]:
    form, stream = _recognized(stream)
    if form is not Form.GZIP:
        return form, stream
    form, stream = _recognized(GzipFile(fileobj=stream))
    if form is Form.GZIP:
        raise FileUnreadable("looks like gzip within gzip; decompress it once")
    return form, stream


def _recognized(stream: io.BufferedIOBase) -> tuple[Form, io.BufferedIOBase]:
    """The stream's form, and the stream from its first byte that counts."""
    head = b""
    while not is_enough(head) and (piece := stream.read1(HEAD)):
        head += piece
    form, ignored = form_of(head)
    return form, io.BufferedReader(_Rejoined(head[ignored:], stream), _BUFFER)


class _Rejoined(io.RawIOBase):
    """A stream whose head was read already."""

    def __init__(self, head: bytes, rest: io.BufferedIOBase) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed's Buffer has no length
        piece = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _named(lines: Iterable[Line], name: str, unit: str) -> Iterator[Line]:
    """Errors say where they were met."""
    number = 0
    try:
        for line in lines:
            number = line.number
            yield line
    except FileUnreadable as error:
        raise _unreadable(name, error) from error
    except (OSError, EOFError, zlib.error) as error:
        raise FileUnreadable(
            f"{name} is damaged, or cannot be read, after {unit} {number:,}: {_reason(error)}"
        ) from error


def _unreadable(name: str, error: Exception) -> FileUnreadable:
    if isinstance(error, FileUnreadable):
        return FileUnreadable(f"{name} {error}")
    return FileUnreadable(f"{name} cannot be read: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the gzip is cut off"
    if isinstance(error, zlib.error):
        return "the gzip is damaged"
    return cast("OSError", error).strerror or str(error)
