"""Options and outputs that several commands share."""

import ssl
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
        "COLLECTOR_INFLUX_URL or COLLECTOR_CASSANDRA_HOSTS and related settings name; if none is set, the stack in "
        ".collector.",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        envvar="COLLECTOR_KEY_FILE",
        help="Send the key that this file holds, where services want one.",
    ),
]
DEFAULT_DATA = Path(".collector")
DEFAULT_PORT = 8080
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as in shells."""


def folder_of(data: Path) -> DataFolder:
    """The stack's folder."""
    return DataFolder(data.expanduser())


def key_headers(key_file: Path | None) -> dict[str, str]:
    """What requests send to show the key in a file. A file without one is wrong usage.

    A key is never given on the command line: everybody on the machine can read that.
    """
    if key_file is None:
        return {}
    try:
        key = key_file.read_text("latin-1").strip()
    except OSError as error:
        raise typer.BadParameter(f"the key file {key_file} cannot be read: {error.strerror}") from error
    if not key.isascii() or not key.isprintable() or not key or " " in key:
        raise typer.BadParameter(f"the key file {key_file} holds no key: one line, as `collector keys` prints it")
    return {"Authorization": f"Bearer {key}"}


def trusting(certificate: Path | str | None) -> ssl.SSLContext | bool:
    """What HTTP clients verify by: with a certificate, that one and those that it signed; else what they know."""
    return True if certificate is None else ssl.create_default_context(cafile=certificate)


def report() -> Report:
    """Reports on standard output what happens."""
    return Report(Console())
