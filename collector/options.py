"""Options and outputs that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.report import Report
from deploy.local.stack.data_folder import DataFolder

DataOption = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", help="The stack's folder: its data, its logs, and the list of its processes."
    ),
]
TargetOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The local stack in this folder. Without it: the services that COLLECTOR_KAFKA_BOOTSTRAP, "
        "COLLECTOR_INFLUX_URL and related settings name; if neither is set, the stack in .collector.",
    ),
]
DEFAULT_DATA = Path(".collector")
DEFAULT_PORT = 8080
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as in shells."""


def folder_of(data: Path) -> DataFolder:
    """The stack's folder."""
    return DataFolder(data.expanduser())


def report() -> Report:
    """Reports on standard output what happens."""
    return Report(Console())
