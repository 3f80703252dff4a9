"""What was rejected: the first ones for people, all of them in a file."""

import base64
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

import msgspec

from collector.sending.errors import RejectsUnwritable
from collector.sending.reading.line import Line
from contract.log.action import Rejection

_SHOWN: Final = 10


class Rejected(NamedTuple):
    """A line that was not accepted, and why."""

    line: Line
    code: str
    field: str | None
    message: str

    @classmethod
    def here(cls, line: Line, rejection: Rejection) -> Self:
        """What is rejected without asking the API."""
        return cls(line, rejection.code, rejection.field, rejection.message)


class RejectsFile:
    """NDJSON: for each rejected line its number, code, field, message, and the line itself.

    The line is `text`, or `base64` where it is no UTF-8, or only its `beginning` if it is too long to be sent.
    """

    def __init__(self, path: Path) -> None:
        """Raises RejectsUnwritable, also if the file has content: it may be all that is left of some actions."""
        self.path = path
        self._file = self._open()

    def _open(self) -> BinaryIO:
        if self.path.is_file() and self.path.stat().st_size:
            raise RejectsUnwritable(f"{self.path} exists; name another file for the rejected lines, or remove it")
        try:
            return self.path.open("wb", buffering=0)
        except OSError as error:
            raise RejectsUnwritable(f"{self.path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, unit: str, rejected: Sequence[Rejected]) -> None:
        """Writes them at once, so that none is lost to a crash. Raises RejectsUnwritable."""
        text = b"".join(msgspec.json.encode(_entry(unit, one)) + b"\n" for one in rejected)
        try:
            while text:
                text = text[os.write(self._file.fileno(), text) :]
        except OSError as error:
            numbers = f"{rejected[0].line.number:,} to {rejected[-1].line.number:,}"
            raise RejectsUnwritable(
                f"{self.path} cannot be written: {error.strerror}. Rejected {unit}s from {numbers} may not be in it"
            ) from error


class Rejects:
    """Keeps the first ten, and writes all to the file if there is one."""

    def __init__(self, file: RejectsFile | None = None) -> None:
        self.unit = "line"
        """What a line is called."""
        self._shown: list[str] = []
        self._file = file

    @property
    def keeps_all(self) -> bool:
        """Whether each must be named; else the first ones do, and how many there are."""
        return self._file is not None

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Raises RejectsUnwritable."""
        for one in rejected[: _SHOWN - len(self._shown)]:
            self._shown.append(f"{self.unit} {one.line.number}: {one.message}")
        if self._file and rejected:
            file, self._file = self._file, None
            file.write(self.unit, rejected)
            self._file = file

    def lines(self, total: int) -> list[str]:
        """The first ten, for people, and where the others are, of which there are `total` in all."""
        if total <= len(self._shown):
            return self._shown
        others = f"all are in {self._file.path}" if self._file else "--rejects FILE keeps them all"
        return [*self._shown, f"… and {total - len(self._shown):,} more: {others}"]


def _entry(unit: str, rejected: Rejected) -> dict[str, object]:
    line, code, field, message = rejected
    entry = {unit: line.number, "code": code, "field": field, "message": message}
    if line.is_beginning:
        return {**entry, "beginning": line.text.decode(errors="replace")}
    with suppress(UnicodeDecodeError):
        return {**entry, "text": line.text.decode()}
    return {**entry, "base64": base64.b64encode(line.text).decode()}
