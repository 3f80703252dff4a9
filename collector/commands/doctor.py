"""`collector doctor`."""

from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from collector.doctor.findings import Diagnosis
from collector.doctor.run import ProducersCheck
from collector.hour_range import HourRange, hour_range
from collector.options import INTERRUPTED, TargetOption
from collector.target import find_target
from contract.errors import CollectorError
from kafka_log.settings import KafkaSettings

_LAST: Final = 1_000
_UNREADABLE: Final = 2

doctor = typer.Typer(help="Looks for mistakes of others that no answer shows.", no_args_is_help=True)


@doctor.callback()
def _checks() -> None:
    """Each check is a command of its own."""


@doctor.command()
def producers(
    last: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Look at the last N records of each partition.", show_default="1000"),
    ] = None,
    first_hour: Annotated[
        str | None,
        typer.Option("--from", metavar="HOUR", help="Instead: records that Kafka took from this hour on."),
    ] = None,
    last_hour: Annotated[
        str | None, typer.Option("--to", metavar="HOUR", help="And up to the end of this hour.")
    ] = None,
    data: TargetOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")] = False,
) -> None:
    """Reads records from the log and tells what their producers do wrong, and how to set it right.

    Users on another partition than CRC-32 of the user says: their ids count twice. Records without the header
    `partitions`, or with another count than the topic has. Lines that are refused, by code. Lines without an id.
    docs/producers.md tells how each kind of producer is set.

    Exit code 0: every line is counted, and counted rightly; 1: something is wrong; 2: the log could not be read.
    """
    if last is not None and (first_hour or last_hour):
        raise typer.BadParameter("give either --last or hours")
    part = hour_range(first_hour, last_hour) if first_hour or last_hour else last or _LAST
    try:
        diagnosis = _run(find_target(data, None).settings, part)
    except (CollectorError, ValidationError) as error:
        typer.echo(f"collector: {error}", err=True)
        raise typer.Exit(_UNREADABLE) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(diagnosis.as_json())
    else:
        for line in diagnosis.text():
            typer.echo(line)
    raise typer.Exit(0 if diagnosis.is_healthy else 1)


def _run(settings: KafkaSettings, part: int | HourRange) -> Diagnosis:
    check = ProducersCheck(settings, part)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the log", total=None)
        return check.run(
            lambda total: progress.update(task, total=total), lambda offsets: progress.advance(task, offsets)
        )
