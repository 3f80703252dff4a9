"""Opening a file, or standard input."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

from rich.progress import Progress

from collector.sending.errors import FileUnreadable

_BUFFER = 256 * 1024


class NamedStream(NamedTuple):
    """A stream, and what people call it."""

    stream: io.BufferedIOBase
    name: str


@contextmanager
def opened(file: str, progress: Progress) -> Iterator[NamedStream]:
    """The file's stream; `-` is standard input. Raises FileUnreadable if it cannot be opened."""
    if file == "-":
        yield NamedStream(_standard_input(), "standard input")
        return
    path = Path(file)
    if path.is_dir():
        raise FileUnreadable(f"{file} is a folder; name a file")
    try:
        opening = progress.open(path, "rb", description=path.name)
    except OSError as error:
        raise FileUnreadable(f"{file} cannot be read: {error.strerror}") from error
    with opening as reader:
        yield NamedStream(io.BufferedReader(cast("io.RawIOBase", reader), _BUFFER), file)


def _standard_input() -> io.BufferedIOBase:
    if sys.stdin is None:
        raise FileUnreadable("standard input is closed")
    if sys.stdin.isatty():
        sys.stderr.write("Type one JSON object a line; Ctrl-D ends.\n")
    return cast("io.BufferedIOBase", sys.stdin.buffer)
