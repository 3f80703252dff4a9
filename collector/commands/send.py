"""`collector send`."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from collector.options import KeyFileOption
from collector.sending.batches import in_batches
from collector.sending.client import DEFAULT_URL, client_for
from collector.sending.delivery import Delivery, Waiting
from collector.sending.interruption import Interruption
from collector.sending.reading.line import Line
from collector.sending.reading.opening import NamedStream, opened
from collector.sending.reading.source import read_source
from collector.sending.rejects import Rejects, RejectsFile
from collector.sending.summary import Summary
from collector.sending.synthetic import synthetic_lines
from contract.errors import CollectorError
from contract.shown import printable
from service.clock import wall_clock

_PATIENCE = 60.0
_TICK_SECONDS = 0.1
_SIGNALLED = 128
"""Added to a signal's number it is an exit code, as in shells."""


def send(  # noqa: PLR0913 - one a command-line option
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Actions: one JSON object a line, or a JSON array; gzipped or not. - reads standard input.",
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where the ingest API is.", show_default=DEFAULT_URL)] = None,
    rate: Annotated[
        int | None, typer.Option(min=1, metavar="R", help="Generate R synthetic actions per second instead.")
    ] = None,
    users: Annotated[int, typer.Option(min=1, metavar="U", help="The number of users of synthetic actions.")] = 1_000,
    seconds: Annotated[
        int, typer.Option("--for", min=1, metavar="S", help="For how many seconds to generate them.")
    ] = 10,
    skip: Annotated[
        int, typer.Option(min=0, metavar="N", help="Pass over the file's first N lines, or elements of its array.")
    ] = 0,
    *,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each rejected line to this file, as NDJSON: its number, the reason, the line. "
            "`jq -r '.text // empty' FILE` gives the lines back, to be mended and sent again.",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Send to the gateway of the stack in this folder.")
    ] = None,
    key_file: KeyFileOption = None,
    compress: Annotated[bool, typer.Option("--gzip", help="Compress the requests.")] = False,
) -> None:
    """Sends actions from a file, or synthetic ones, and reports what became of them.

    When the outcome of a request is unknown, only its lines with an id are sent again, as these can't be counted twice;
    the others are reported as unknown.

    Lines are counted from 1, blank ones included. Ctrl-C waits for the answer to the last request, then says with which
    --skip to go on.

    Exit code 0: each line was accepted; 1: one was not, or not all could be sent; 130: Ctrl-C.
    """
    if (file is None) == (rate is None):
        raise typer.BadParameter("give either a file or --rate")
    if url is not None and data is not None:
        raise typer.BadParameter("give either --url or --data")
    if skip and file is None:
        raise typer.BadParameter("--skip needs a file")
    summary = Summary(settled=skip)
    with (
        Interruption() as interruption,
        client_for(url, data, key_file) as client,
        _progress(Console(stderr=True), has_bar=file != "-") as progress,
        ExitStack() as resources,
    ):
        try:
            stream = resources.enter_context(opened(file, progress)) if file else None
            kept = Rejects(resources.enter_context(RejectsFile(rejects)) if rejects else None)
        except CollectorError as error:
            raise typer.BadParameter(str(error)) from error
        waiting = Waiting(_PATIENCE, interruption.pause, lambda text: _tell(progress.console, text))
        delivery = Delivery(client, summary, kept, waiting, compress=compress)
        batches = (
            _file_batches(stream, skip, kept) if stream else _synthetic_batches(rate or 0, users, seconds, progress)
        )
        problem = _deliver(delivery, batches, interruption)
    _report(summary, kept, problem, skip=skip if file else None)
    if interruption.signal:
        raise typer.Exit(_SIGNALLED + interruption.signal)
    if problem or not summary.is_clean:
        raise typer.Exit(1)


def _report(summary: Summary, rejects: Rejects, problem: str | None, *, skip: int | None) -> None:
    if summary.has_begun or not problem:
        for line in (*summary.lines(), *rejects.lines(summary.rejected.total())):
            typer.echo(printable(line))
    if problem:
        typer.echo(f"collector: {printable(problem)}{_go_on(summary, rejects.unit, skip)}", err=True)
    elif not summary.has_begun:
        typer.echo(f"collector: there was nothing to send{f' after --skip {skip}' if skip else ''}", err=True)


def _go_on(summary: Summary, unit: str, skip: int | None) -> str:
    if not summary.has_begun:
        return ". Nothing was sent"
    return "" if skip is None else f". {summary.go_on(unit)}"


def _progress(console: Console, *, has_bar: bool) -> Progress:
    """A bar for people, where it is known how much there is; a file or a pipe gets none."""
    return Progress(console=console, transient=True, disable=not (has_bar and console.is_terminal))


def _tell(console: Console, text: str) -> None:
    console.print(f"collector: {printable(text)}", markup=False, highlight=False, soft_wrap=True)


def _deliver(delivery: Delivery, batches: Iterator[list[Line]], interruption: Interruption) -> str | None:
    """Why some lines were not sent; None if all were."""
    try:
        for batch in batches:
            with interruption.finished():
                delivery.send(batch)
    except CollectorError as error:
        return str(error)
    except KeyboardInterrupt:
        return "interrupted"
    return None


def _file_batches(stream: NamedStream, skip: int, rejects: Rejects) -> Iterator[list[Line]]:
    source = read_source(stream, skip)
    rejects.unit = source.unit
    yield from in_batches(source.lines)


def _synthetic_batches(rate: int, users: int, seconds: int, progress: Progress) -> Iterator[list[Line]]:
    """Keeps the rate as long as the API keeps up; a slow API gets all actions, later."""
    random, begin, generated, total = SystemRandom(), time.monotonic(), 0, rate * seconds
    task = progress.add_task(f"{rate} actions/s", total=total)
    while generated < total:
        due = min(total, int((time.monotonic() - begin) * rate))
        yield from in_batches(synthetic_lines(wall_clock(), users, random, range(generated + 1, due + 1)))
        generated = due
        progress.update(task, completed=generated)
        time.sleep(_TICK_SECONDS)
