"""`collector audit`."""

from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from collector.audit.run import Audit
from collector.audit.verdict import EXIT_CODES, NotJudged, Verdict
from collector.hour_range import HourRange, hour_range
from collector.options import INTERRUPTED, KeyFileOption, TargetOption, key_headers
from collector.target import Target, find_target
from contract.errors import CollectorError


def audit(
    first: Annotated[
        str | None, typer.Option("--from", metavar="HOUR", help="The first hour, e.g. 2026-11-24T09.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="HOUR", help="The last hour, inclusive.")] = None,
    data: TargetOption = None,
    url: Annotated[
        str | None, typer.Option(help="Where the aggregator is.", show_default="the stack's gateway, or port 8082 here")
    ] = None,
    key_file: KeyFileOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as one JSON object.")] = False,
) -> None:
    """Counts the log again, by code of its own, and compares every hour with what is stored and answered.

    Workers may keep running. It commits nothing and writes nothing.

    Exit code 0: everything is equal; 1: something differs; 2: something could not be judged.

    Hours of which retention has removed something are left out, and a line says so; where --from asks for such an hour,
    that is an error.

    It needs about 100 MB of memory for each million users of each hour, and up to 200 MB more for each million ids of a
    partition; --from and --to limit the hours.
    """
    hours = hour_range(first, last)
    try:
        target = find_target(data, url)
        verdict = _run(hours, target, key_headers(key_file or target.key_file))
    except (CollectorError, ValidationError) as error:
        verdict = Verdict(not_judged=[NotJudged(None, str(error))])
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(verdict.as_json())
    else:
        for line in verdict.text():
            typer.echo(line)
    raise typer.Exit(EXIT_CODES[verdict.outcome])


def _run(hours: HourRange, target: Target, headers: Mapping[str, str]) -> Verdict:
    audit = Audit(target, hours, headers)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("counting the log again", total=None)
        return audit.run(
            lambda total: progress.update(task, total=total), lambda offsets: progress.advance(task, offsets)
        )
