"""`collector logs`."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from collector.options import DEFAULT_DATA, DataOption, folder_of
from deploy.local.errors import LocalError
from deploy.local.stack.data_folder import DataFolder

_CHUNK = 1 << 16
_POLL_SECONDS = 0.2


def logs(
    name: Annotated[str, typer.Argument(help="As `collector ps` shows it: kafka, worker-1, …")],
    data: DataOption = DEFAULT_DATA,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing what is added, until Ctrl-C.")] = False,
) -> None:
    """Prints the log of one process, even of a stopped one."""
    with suppress(KeyboardInterrupt), _log(folder_of(data), name).open("rb") as file:
        _copy(file)
        while follow:
            # A file does not notify anyone that it grew.
            time.sleep(_POLL_SECONDS)
            if os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)  # what was there was moved aside
            _copy(file)


def _log(folder: DataFolder, name: str) -> Path:
    known = sorted(path.stem for path in folder.logs.glob("*.log"))
    if name not in known:
        raise LocalError(f"no log of {name} in {folder.logs}; there are logs of: {', '.join(known) or 'no process'}")
    return folder.log(name)


def _copy(file: BinaryIO) -> None:
    while chunk := file.read(_CHUNK):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
