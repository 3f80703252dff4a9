"""`collector keys`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from pydantic import TypeAdapter, ValidationError

from collector.keys.changes import added, hex_of, revoked, rotated
from collector.keys.listing import as_text
from collector.keys.rewriting import rewrite
from contract.errors import CollectorError
from service.keys.key import Key, Scope, parse_key
from service.keys.keys_file import read_keys
from service.keys.secret import new_secret

_HOURS: Final = 1_000
_DURATION: Final = TypeAdapter(timedelta)

FileOption = Annotated[
    Path,
    typer.Option("--file", metavar="FILE", envvar="COLLECTOR_KEYS_FILE", help="The file of keys that services read."),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is: messages and logs show it.")]

keys = typer.Typer(
    help="Makes keys for those who send and read, and takes them back. Services know of it within a second.",
    no_args_is_help=True,
)


@keys.command()
def add(  # noqa: PLR0913 - one a command-line option
    name: NameArgument,
    file: FileOption,
    *,
    scopes: Annotated[
        list[Scope], typer.Option("--scope", help="What it may do; may be given several times.", show_default="write")
    ] = [Scope.WRITE],  # noqa: B006 - typer copies it
    events: Annotated[
        list[str] | None, typer.Option("--event", metavar="EVENT", help="Send this event only; likewise.")
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="ORIGIN", help="A browser's key, for pages of this origin only; likewise."),
    ] = None,
    actions: Annotated[
        float | None, typer.Option("--actions-per-second", metavar="R", help="Most actions that a process takes.")
    ] = None,
    requests: Annotated[
        float | None, typer.Option("--requests-per-second", metavar="R", help="Most requests, likewise.")
    ] = None,
    hours: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="In how many distinct hours its actions may lie, of those sent within an hour; 0: any number.",
            show_default=f"{_HOURS}; with the scope backfill 0",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="A date, a date and time, or a duration from now, such as P90D."),
    ] = None,
) -> None:
    """Makes a key and prints it. It is shown this once: the file has its SHA-256 only."""
    secret = new_secret()
    fields = {
        "name": name,
        "sha256": hex_of(secret),
        "scopes": scopes,
        "events": events,
        "origins": origins,
        "actions_per_second": actions,
        "requests_per_second": requests,
        "hours": _hours(hours, scopes) or None,
        "expires": expires and _instant(expires, "--expires"),
    }
    key = _key(fields)
    _change(file, lambda known: added(known, key), create=True)
    _show(secret)


@keys.command(name="list")
def list_(
    file: FileOption, *, as_json: Annotated[bool, typer.Option("--json", help="Print the file's lines.")] = False
) -> None:
    """Lists all keys: what each may do, how much of it, and until when."""
    known = read_keys(file)
    if as_json:
        typer.echo(file.read_text(), nl=False)
        return
    for line in as_text(known, datetime.now(UTC)):
        typer.echo(line)


@keys.command()
def revoke(name: NameArgument, file: FileOption) -> None:
    """Takes a key back: nobody is let in with it, nor with the one that it replaced."""
    _change(file, lambda known: revoked(known, name))
    typer.echo(f"collector: {name} is revoked", err=True)


@keys.command()
def rotate(
    name: NameArgument,
    file: FileOption,
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the key until now works on; PT0S: not at all.")
    ] = "P7D",
) -> None:
    """Makes another text for a key and prints it, this once; all else stays as it was."""
    secret, now = new_secret(), datetime.now(UTC).replace(microsecond=0)
    until = _duration(overlap, "--overlap")
    _change(file, lambda known: rotated(known, name, secret, now, until))
    _show(secret)


def _show(secret: str) -> None:
    typer.echo("collector: keep it: it is shown this once", err=True)
    typer.echo(secret)


def _change(path: Path, change: Callable[[Sequence[Key]], list[Key]], *, create: bool = False) -> None:
    try:
        rewrite(path, change, create=create)
    except OSError as error:
        raise CollectorError(f"{path} cannot be written: {error.strerror}") from error


def _key(fields: dict[str, Any]) -> Key:
    try:
        return parse_key(msgspec.json.encode({name: value for name, value in fields.items() if value is not None}))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _hours(hours: int | None, scopes: Sequence[Scope]) -> int:
    if hours is not None:
        return hours
    return 0 if Scope.BACKFILL in scopes or Scope.WRITE not in scopes else _HOURS


def _instant(text: str, option: str) -> datetime:
    if text.upper().startswith("P"):
        return (datetime.now(UTC) + _duration(text, option)).replace(microsecond=0)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text}: no date, date and time, or duration such as P90D") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _duration(text: str, option: str) -> timedelta:
    try:
        duration = _DURATION.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{option} {text}: no duration such as P90D or PT12H") from error
    if duration < timedelta(0):
        raise typer.BadParameter(f"{option} {text}: a duration is not below zero")
    return duration
