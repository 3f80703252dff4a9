"""Lines of NDJSON, read with bounded memory."""

from collections.abc import Iterator
from io import BufferedIOBase
from itertools import count

from collector.sending.reading.line import BLANK, LONGEST, Line, line_of, too_long

_NEWLINE = len(b"\r\n")
_PIECE = 256 * 1024


def lines_of(stream: BufferedIOBase) -> Iterator[Line]:
    """The lines of a stream; blank ones are left out, but counted. Of one that is too long the beginning is kept."""
    for number in count(1):
        text = stream.readline(LONGEST + _NEWLINE)
        if not text:
            return
        line = text.strip(BLANK)
        if len(line) > LONGEST or (len(text) == LONGEST + _NEWLINE and not text.endswith(b"\n")):
            yield too_long(number, line, len(text) + _pass_over(stream, text))
        elif line:
            yield line_of(number, line)


def _pass_over(stream: BufferedIOBase, read: bytes) -> int:
    """How many bytes the line has after what was `read` of it, without its newline."""
    size = 0
    while read and not read.endswith(b"\n"):
        read = stream.readline(_PIECE)
        size += len(read)
    return size - read.endswith(b"\n")
