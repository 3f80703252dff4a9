"""`collector`: the command-line program."""

import sys

import typer

from collector.audit import audit
from collector.down import down
from collector.logs import logs
from collector.ps import ps
from collector.rebuild import rebuild
from collector.scale import scale
from collector.send import send
from collector.settings import settings
from collector.setup import setup
from collector.up import up
from contract.errors import CollectorError

app = typer.Typer(
    help="Runs the user actions collector on this machine, and sends it actions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (setup, up, down, ps, logs, scale, send, audit, rebuild, settings):
    app.command()(command)


def main() -> None:
    """Runs one command. An error that we expect is told without a traceback: exit code 1; wrong usage: 2."""
    try:
        app()
    except CollectorError as error:
        typer.echo(f"collector: {error}", err=True)
        sys.exit(1)
