"""Elements of a JSON array, read with bounded memory.

Each is cut out as it is written, and judged by the API: so repeated keys and numbers of any form are seen there, and a
malformed element is rejected by itself. A parser would read values and stop at the first mistake.
"""

import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Final

from collector.sending.errors import FileUnreadable
from collector.sending.reading.line import BLANK, LONGEST, Line, line_of, too_long
from contract.log.action import Rejection, parse_line

_PIECE: Final = 256 * 1024
_REST_OF_TEXT: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TEXT: Final = rb'"' + _REST_OF_TEXT.pattern + rb'"'
_UP_TO_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|' + _TEXT + rb")*+", re.DOTALL)
_FLAT_OBJECT: Final = rb"\{" + _UP_TO_BRACKET.pattern + rb"\}"
_UP_TO_COMMA: Final = re.compile(rb'(?:[^"\[\]{},]++|' + _TEXT + rb"|" + _FLAT_OBJECT + rb")*+", re.DOTALL)
_QUOTE, _BACKSLASH, _COMMA, _END = b'"\\,]'
_OPENING: Final = b"[{"
_CLOSING: Final = b"]}"


def elements_of(stream: BufferedIOBase) -> Iterator[Line]:
    """The elements of the array with whose bracket the stream begins; their numbers are their places, from 1.

    Raises FileUnreadable, after all whole elements, if the array does not end, or is followed by something else.
    """
    stream.read(len(b"["))
    scanner, element, number, data = _Scanner(), _Element(), 0, b""
    while piece := stream.read1(_PIECE):
        data, at = data + piece, 0
        while True:
            begin, (at, is_whole) = at, scanner.scan(data, at)
            element.add(data[begin:at])
            if not is_whole:
                break
            is_last = data[at] == _END
            if element.size or number or not is_last:
                number += 1
                yield element.as_line(number)
            at += 1
            if is_last:
                _check_end(stream, data[at:], number)
                return
            element = _Element()
        data = data[at:]
    raise FileUnreadable(f"is cut off: its array does not end after element {number:,}")


def _check_end(stream: BufferedIOBase, rest: bytes, number: int) -> None:
    while not rest.strip(BLANK):
        rest = stream.read1(_PIECE)
        if not rest:
            return
    raise FileUnreadable(
        f"goes on after the end of its array, which has {number:,} elements; what follows was not sent"
    )


class _Scanner:
    """Finds the ends of elements; it remembers where it is from one piece of the file to the next."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False

    def scan(self, data: bytes, at: int) -> tuple[int, bool]:
        """Where the element ends, at the comma or bracket that follows it, and True; or how far `data` was understood.

        The rest, at most a backslash, is to be given again, with what follows it.
        """
        while True:
            if self._in_text:
                at = _end_of(_REST_OF_TEXT, data, at)
                if data[at : at + 1] != b'"':
                    return at, False
                self._in_text, at = False, at + 1
            at = _end_of(_UP_TO_BRACKET if self._depth else _UP_TO_COMMA, data, at)
            if at == len(data):
                return at, False
            if self._ends_element(data[at]):
                return at, True
            at += 1

    def _ends_element(self, found: int) -> bool:
        if found == _QUOTE:
            self._in_text = True
        elif found in _OPENING:
            self._depth += 1
        elif self._depth:
            self._depth -= found in _CLOSING
        else:
            return found in (_COMMA, _END)
        return False


def _end_of(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return match.end() if match else at


class _Element:
    """What was read of an element: all of it, or the beginning if it is too long. Blanks around it do not count."""

    def __init__(self) -> None:
        self._text = b""
        self._read = 0
        self.size = 0

    def add(self, piece: bytes) -> None:
        if not self._read:
            piece = piece.lstrip(BLANK)
        if text := piece.rstrip(BLANK):
            self.size = self._read + len(text)
        self._read += len(piece)
        self._text += piece[: LONGEST - len(self._text)]

    def as_line(self, number: int) -> Line:
        if self.size > LONGEST:
            return too_long(number, self._text, self.size)
        text = self._text.rstrip(BLANK)
        return _on_one_line(number, text) if b"\n" in text else line_of(number, text)


def _on_one_line(number: int, text: bytes) -> Line:
    """A newline is a blank in JSON, but for one within a text: there it is a mistake, which a blank would hide."""
    parsed = parse_line(text)
    if isinstance(parsed, Rejection) and parsed.code == "not_json":
        return Line(number, text, parsed)
    return line_of(number, text.replace(b"\n", b" "))
