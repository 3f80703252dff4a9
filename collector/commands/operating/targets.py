"""`collector targets`."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import typer

from collector.options import DEFAULT_DATA, DataOption, folder_of
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import read_state

SCRAPED: Final = (Role.INGEST, Role.WORKER, Role.AGGREGATOR, Role.ROLLUP)
"""Who has metrics; the jobs are called as they are."""


def targets(data: DataOption = DEFAULT_DATA) -> None:
    """Prints whom Prometheus has to scrape, as a file of targets (file_sd)."""
    typer.echo(msgspec.json.format(msgspec.json.encode(as_targets(read_state(folder_of(data).state).members))))


def as_targets(members: Iterable[Member]) -> list[dict[str, Any]]:
    """One for each process; `instance` is its name."""
    return [
        {"targets": [f"127.0.0.1:{member.port}"], "labels": {"job": str(member.role), "instance": member.name}}
        for member in members
        if member.role in SCRAPED
    ]
