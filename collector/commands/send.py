"""`collector send`."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from collector.options import DEFAULT_PORT, folder_of
from collector.sending.batches import Line, in_batches, lines_of
from collector.sending.delivery import Delivery
from collector.sending.summary import Summary
from collector.sending.synthetic import synthetic_lines
from contract.errors import CollectorError
from deploy.local.errors import NoStack
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state
from service.clock import wall_clock

_TIMEOUT = 60.0
_PATIENCE = 60.0
_TICK_SECONDS = 0.1
_DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def send(  # noqa: PLR0913 - one a command-line option
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE.ndjson", help="Actions, one JSON object per line; - reads standard input."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where the ingest API is.", show_default=_DEFAULT_URL)] = None,
    rate: Annotated[
        int | None, typer.Option(min=1, metavar="R", help="Generate R synthetic actions per second instead.")
    ] = None,
    users: Annotated[int, typer.Option(min=1, metavar="U", help="The number of users of synthetic actions.")] = 1_000,
    seconds: Annotated[
        int, typer.Option("--for", min=1, metavar="S", help="For how many seconds to generate them.")
    ] = 10,
    *,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Send to the gateway of the stack in this folder.")
    ] = None,
    compress: Annotated[bool, typer.Option("--gzip", help="Compress the requests.")] = False,
) -> None:
    """Sends actions from a file, or synthetic ones, and reports what became of them.

    When the outcome of a request is unknown, only its lines with an id are sent again, as these can't be counted twice;
    the others are reported as unknown, and the exit code is 1.
    """
    if (file is None) == (rate is None):
        raise typer.BadParameter("give either a file or --rate")
    if url is not None and data is not None:
        raise typer.BadParameter("give either --url or --data")
    summary = Summary()
    with (
        _client(url or (_gateway_of(data) if data else _DEFAULT_URL)) as client,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        delivery = Delivery(client, summary, compress=compress, patience=_PATIENCE)
        batches = _file_batches(file, progress) if file else _synthetic_batches(rate or 0, users, seconds, progress)
        problem = _deliver(delivery, batches)
    for line in summary.lines():
        typer.echo(line)
    if problem:
        typer.echo(f"collector: {problem}", err=True)
    if problem or not summary.is_complete:
        raise typer.Exit(1)


def _gateway_of(data: Path) -> str:
    folder = folder_of(data)
    ports = [member.port for member in read_state(folder.state).members if member.role is Role.GATEWAY]
    if not ports:
        raise NoStack(f"no stack runs in {folder.path}")
    return f"http://127.0.0.1:{ports[0]}"


def _deliver(delivery: Delivery, batches: Iterator[list[Line]]) -> str | None:
    """Why some actions were not sent; None if all were."""
    try:
        for batch in batches:
            delivery.send(batch)
    except CollectorError as error:
        return f"{error}. The remaining actions were not sent"
    except KeyboardInterrupt:
        return "interrupted. The outcome of the last request is unknown, and the remaining actions were not sent"
    return None


def _client(url: str) -> httpx.Client:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise typer.BadParameter(f"{url}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise typer.BadParameter(f"{url} is not an HTTP address")
    # A proxy cannot reach this machine's own ports.
    return httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=address.host not in _LOOPBACK)


def _file_batches(file: str, progress: Progress) -> Iterator[list[Line]]:
    if file == "-":
        yield from in_batches(lines_of(sys.stdin.buffer))
        return
    path = Path(file)
    if not path.is_file():
        raise typer.BadParameter(f"{file} is not a file")
    with progress.open(path, "rb", description=path.name) as opened:
        yield from in_batches(lines_of(opened))


def _synthetic_batches(rate: int, users: int, seconds: int, progress: Progress) -> Iterator[list[Line]]:
    """Keeps the rate as long as the API keeps up; a slow API gets all actions, later."""
    random, begin, generated, total = SystemRandom(), time.monotonic(), 0, rate * seconds
    task = progress.add_task(f"{rate} actions/s", total=total)
    while generated < total:
        due = min(total, int((time.monotonic() - begin) * rate))
        yield from in_batches(synthetic_lines(wall_clock(), users, random, due - generated))
        generated = due
        progress.update(task, completed=generated)
        time.sleep(_TICK_SECONDS)
