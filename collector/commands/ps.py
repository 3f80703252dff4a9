"""`collector ps`."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec
import typer

from collector.options import DEFAULT_DATA, DataOption, folder_of
from deploy.local.stack.members import Member
from deploy.local.stack.state_file import read_state


class Row(msgspec.Struct, frozen=True):
    """One process, as people and programs see it."""

    name: str
    pid: int
    port: int
    state: str
    """running, not ready, stopping or dead."""


def ps(
    data: DataOption = DEFAULT_DATA,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of objects: name, pid, port, state.")
    ] = False,
) -> None:
    """Lists the stack's processes: running, not ready, stopping or dead."""
    folder = folder_of(data)
    rows = _rows_of(read_state(folder.state).members)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)))
        return
    if not rows:
        typer.echo(f"no stack runs in {folder.path}")
        return
    width = max(len(row.name) for row in rows)
    typer.echo(f"{'NAME':{width}}  {'PID':>7}  {'PORT':>5}  STATE")
    for row in rows:
        typer.echo(f"{row.name:{width}}  {row.pid:>7}  {row.port:>5}  {row.state}")


def _rows_of(members: tuple[Member, ...]) -> list[Row]:
    with ThreadPoolExecutor(max_workers=len(members) or 1) as pool:
        states = list(pool.map(Member.state, members))
    return [Row(one.name, one.pid, one.port, state) for one, state in zip(members, states, strict=True)]
