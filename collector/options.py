"""Options and outputs that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.report import Report
from deploy.local.stack.data_folder import DataFolder

DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="The stack's folder: its data, its logs, and where it is found.")
]
TargetOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The local stack in that folder. Without it: what COLLECTOR_KAFKA_BOOTSTRAP, COLLECTOR_INFLUX_URL and "
        "the like name; if they name nothing, the stack in .collector.",
    ),
]
DEFAULT_DATA = Path(".collector")
DEFAULT_PORT = 8080
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def folder_of(data: Path) -> DataFolder:
    """The stack's folder."""
    return DataFolder(data.expanduser())


def report() -> Report:
    """Tells people on standard output what happens."""
    return Report(Console())
