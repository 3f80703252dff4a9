"""`collector rebuild`."""

import time
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from collector.hour_range import hour_range
from collector.options import INTERRUPTED, TargetOption
from collector.rebuild.run import Rebuilding
from collector.target import find_target
from contract.errors import CollectorError, LogNotRetained

_NOT_RETAINED: Final = 2


def rebuild(
    first: Annotated[str, typer.Option("--from", metavar="HOUR", help="The first hour, 2026-11-24T09.")],
    last: Annotated[str, typer.Option("--to", metavar="HOUR", help="The last hour, itself included.")],
    data: TargetOption = None,
    patience: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long the store, and then the workers, may take.")
    ] = 120.0,
) -> None:
    """Counts hours again from the log, and has the workers go on from these numbers. Nothing has to be stopped.

    For what the audit finds different, for a store restored from a backup, for a new version of the log's rules. What
    comes in meanwhile is counted too. Exit code 0: all workers have taken the hours over; 1: it failed, or they have
    not yet; 2: the log is no longer retained. It may be run again at any time. It holds the users
    of all these hours of one partition in memory: rebuild a day at a time.
    """
    hours = hour_range(first, last)
    try:
        rebuilding = Rebuilding(find_target(data, None).settings, hours, time.time_ns() // 1_000_000, patience)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("counting the log again", total=None)
            rebuilt = rebuilding.run(
                lambda offsets: progress.update(task, total=offsets), lambda offsets: progress.advance(task, offsets)
            )
    except LogNotRetained as error:
        typer.echo(f"collector: {error}", err=True)
        raise typer.Exit(_NOT_RETAINED) from error
    except (CollectorError, ValidationError) as error:
        typer.echo(f"collector: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    windows = sum(len(one.hours) for one in rebuilt)
    of_hours = len({hour for one in rebuilt for hour in one.hours})
    typer.echo(f"rebuilt {windows} windows (hours: {of_hours}, partitions: {len(rebuilt)}); workers go on from them")
