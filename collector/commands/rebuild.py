"""`collector rebuild`."""

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
from service.clock import wall_clock

_NOT_RETAINED: Final = 2


def rebuild(
    first: Annotated[str, typer.Option("--from", metavar="HOUR", help="The first hour, e.g. 2026-11-24T09.")],
    last: Annotated[str, typer.Option("--to", metavar="HOUR", help="The last hour, inclusive.")],
    data: TargetOption = None,
    patience: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the store, and then for the workers.")
    ] = 120.0,
) -> None:
    """Counts hours again from the log, and has the workers continue from these numbers. Nothing has to be stopped.

    Use it for hours that the audit finds different, for a store restored from a backup, for a new version of the log's
    rules. Actions that arrive meanwhile are counted, too. It may be run again at any time.

    Exit code 0: all workers have taken the hours over; 1: it failed, or they have not yet; 2: the log no longer
    holds all of the hours, and nothing was changed.

    It holds one partition's users of all these hours in memory: rebuild a day at a time.
    """
    hours = hour_range(first, last)
    try:
        rebuilding = Rebuilding(find_target(data, None).settings, hours, wall_clock(), patience)
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
    typer.echo(
        f"rebuilt {windows} windows (hours: {of_hours}, partitions: {len(rebuilt)}); the workers continue from them"
    )
