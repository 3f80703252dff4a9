"""`collector`: the command-line program."""

import sys

import typer

from collector.commands.audit import audit
from collector.commands.doctor import doctor
from collector.commands.down import down
from collector.commands.keys import keys
from collector.commands.logs import logs
from collector.commands.operating.metrics import metrics
from collector.commands.operating.raw import raw
from collector.commands.operating.status import status
from collector.commands.operating.targets import targets
from collector.commands.ps import ps
from collector.commands.rebuild import rebuild
from collector.commands.report import report
from collector.commands.scale import scale
from collector.commands.send import send
from collector.commands.settings import settings
from collector.commands.setup import setup
from collector.commands.top import top
from collector.commands.up import up
from contract.errors import CollectorError

app = typer.Typer(
    help="Runs the user actions collector on this machine, sends it actions, and checks its numbers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # else the lines of a help text break where they do in its docstring
)
for command in (
    setup,
    up,
    down,
    ps,
    logs,
    scale,
    send,
    report,
    top,
    audit,
    raw,
    rebuild,
    settings,
    metrics,
    targets,
    status,
):
    app.command()(command)
app.add_typer(doctor, name="doctor")
app.add_typer(keys, name="keys")


def main() -> None:
    """Runs one command. An expected error is reported without a traceback: exit code 1; wrong usage: 2."""
    try:
        app()
    except CollectorError as error:
        typer.echo(f"collector: {error}", err=True)
        sys.exit(1)
