"""`collector raw`."""

import asyncio
import os
import sys
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, BinaryIO, Final

import typer
from pydantic import ValidationError

from collector.options import INTERRUPTED, TargetOption
from collector.raw.formats import CsvWriter, NdjsonWriter, RawFormat, Writer
from collector.raw.parquet import ParquetWriter
from collector.raw.reading import RawHour
from collector.raw.selection import Selection
from collector.target import find_target
from contract.errors import CollectorError, InvalidHour
from contract.hour import parse_hour
from contract.log.action import is_event
from service.clock import wall_clock
from stores.opening import open_store
from stores.settings import StoreSettings

_NOT_ALL: Final = 2
_CLOSED: Final = 141
"""The exit code, in shells, of a program whose output nobody reads any more."""

_KEPT: Final = "workers keep these for COLLECTOR_RAW_RETENTION (30 days by default), or none: COLLECTOR_RAW_STORAGE=off"
_PATIENCE: Final = timedelta(days=1)
"""An answer takes as long as whoever reads our output."""


def raw(
    hour: Annotated[str, typer.Option(metavar="HOUR", help="The hour, e.g. 2026-11-24T09, in UTC.")],
    user: Annotated[str | None, typer.Option(metavar="USER", help="Only actions of this user.")] = None,
    event: Annotated[str | None, typer.Option(metavar="EVENT", help="Only this event, e.g. click.")] = None,
    written: Annotated[RawFormat, typer.Option("--format", help="Parquet needs `pip install .[parquet]`.")] = (
        RawFormat.NDJSON
    ),
    data: TargetOption = None,
) -> None:
    """Prints the raw actions of an hour, however they were stored, on standard output, in no particular order.

    It prints those that were counted when it began, duplicates too, and compares their number with what was counted.

    Exit code 0: it is the same; 1: the store could not be read; 2: another, as raw actions are kept for
    COLLECTOR_RAW_RETENTION only, and not stored at all where COLLECTOR_RAW_STORAGE is off.
    """
    start, selection = _hour(hour), Selection(user, _event(event))
    try:
        target = find_target(data, None)
        found = asyncio.run(_print(target.settings, start, selection, _writer(written, sys.stdout.buffer)))
    except BrokenPipeError:
        # What Python still holds is not written at its end, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_CLOSED) from None
    except (CollectorError, ValidationError) as error:
        typer.echo(f"collector: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if found.found != found.counted:
        told = f"{found.counted:,} actions were counted in this hour, {found.found:,} of them are stored as raw actions"
        typer.echo(f"collector: {told}; {_KEPT}", err=True)
        raise typer.Exit(_NOT_ALL)


async def _print(settings: StoreSettings, hour: int, selection: Selection, writer: Writer) -> RawHour:
    store = open_store(settings.model_copy(update={"influx_timeout": _PATIENCE}), wall_clock)
    found = RawHour(store, hour)
    try:
        async with aclosing(found.portions()) as portions:
            async for actions in portions:
                if selected := selection.of(actions):
                    writer.write(selected)
        writer.end()
    finally:
        await store.close()
    return found


def _writer(written: RawFormat, output: BinaryIO) -> Writer:
    if written is RawFormat.PARQUET:
        if output.isatty():
            raise typer.BadParameter("--format parquet: send it to a file, as by > hour.parquet")
        return ParquetWriter(output)
    return CsvWriter(output) if written is RawFormat.CSV else NdjsonWriter(output)


def _hour(text: str) -> int:
    try:
        return parse_hour(text)
    except InvalidHour as error:
        raise typer.BadParameter(str(error)) from error


def _event(name: str | None) -> str | None:
    if name is not None and not is_event(name):
        raise typer.BadParameter(f"--event {name}: a lowercase letter followed by up to 31 of a-z, 0-9 and _")
    return name
