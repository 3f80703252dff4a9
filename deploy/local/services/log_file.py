"""The log of a process: what it writes to standard output and error."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

LARGE: Final = 10 * 1024 * 1024
"""Bytes. A log that is larger is moved aside while its stack is watched, or at the next start: one older is kept."""

_TAIL_LINES = 15
_TAIL_BYTES = 16_384


def open_log(log: Path) -> int:
    """A descriptor that appends to the log, whose folder need not be there."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > LARGE:
            log.replace(_older(log))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def move_aside_if_large(log: Path) -> None:
    """For a log that a process writes: that one goes on in an empty file, since it appends.

    A line that is written just then may be missing.
    """
    with suppress(FileNotFoundError):
        if log.stat().st_size > LARGE:
            shutil.copyfile(log, _older(log))
            os.truncate(log, 0)


def _older(log: Path) -> Path:
    return log.with_name(f"{log.name}.old")


def tail_of(log: Path) -> str:
    """The last lines of a log; nothing if there is none."""
    with suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])
    return ""
