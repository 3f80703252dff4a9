"""`collector logs`."""

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
_SECONDS_BETWEEN_LOOKS = 0.2


def logs(
    name: Annotated[str, typer.Argument(help="As `collector ps` shows it: kafka, worker-1, …")],
    data: DataOption = DEFAULT_DATA,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Prints the log of one process, of a stopped one too."""
    with suppress(KeyboardInterrupt), _log(folder_of(data), name).open("rb") as file:
        _copy(file)
        while follow:
            # A file tells nobody that it grew.
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            _copy(file)


def _log(folder: DataFolder, name: str) -> Path:
    known = sorted(path.stem for path in folder.logs.glob("*.log"))
    if name not in known:
        raise LocalError(f"no log of {name} in {folder.logs}; there is one of: {', '.join(known) or 'nobody'}")
    return folder.log(name)


def _copy(file: BinaryIO) -> None:
    while chunk := file.read(_CHUNK):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
