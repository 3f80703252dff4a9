"""`collector status`."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from collector.commands.operating.targets import SCRAPED
from collector.options import DEFAULT_DATA, KeyFileOption, folder_of, key_headers
from collector.status.asking import Asked, ask
from collector.status.screen import as_text
from collector.status.seen import EXIT_CODES, status_of
from deploy.local.errors import NoStack
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Member
from deploy.local.stack.state_file import read_state


def status(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The stack in this folder.", show_default=".collector")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A process of services elsewhere, e.g. http://10.0.0.7:8080; repeatable."),
    ] = None,
    key_file: KeyFileOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Shows how the services are: each process, how late counting is, how far numbers are complete, the last errors.

    Exit code 0: all is well; 1: something is wrong; 2: that cannot be told, e.g. because no stack runs.
    """
    if target and data is not None:
        raise typer.BadParameter("give either --target or --data")
    folder = folder_of(data or DEFAULT_DATA)
    asked = [Asked(url, url, lambda: "running") for url in target] if target else _members(folder)
    own_key = folder.operators_key if folder.is_secure and not target else None
    # Before they are asked: one that hangs is waited for, and does not make numbers older.
    now = time.time()
    processes = ask(asked, key_headers(key_file or own_key))
    found = status_of(processes, now)
    if as_json:
        shown = {"processes": [_without_samples(one) for one in processes]}
        typer.echo(msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(found), **shown})))
    else:
        for line in as_text(found, processes):
            typer.echo(line)
    raise typer.Exit(EXIT_CODES[found.outcome])


def _members(folder: DataFolder) -> list[Asked]:
    """Exit code 2 where no stack runs."""
    members = read_state(folder.state).members
    if not members:
        typer.echo(f"collector: {NoStack(f'no stack runs in {folder.path}')}", err=True)
        raise typer.Exit(2)
    return [_asked(folder, member) for member in members]


def _asked(folder: DataFolder, member: Member) -> Asked:
    log, since = folder.log(member.name), member.process.started_at
    if member.role not in SCRAPED:
        return Asked(member.name, None, member.state, log, since)
    return Asked(member.name, member.url, partial(_state, member), log, since)


def _state(member: Member) -> str:
    if not member.process.is_alive():
        return "dead"
    return "stopping" if member.stopping else "running"


def _without_samples(process: object) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(process)
    del shown["samples"]
    return shown
