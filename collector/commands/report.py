"""`collector report`."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console

from aggregator.hours.zones import iana_zone
from collector.options import KeyFileOption
from collector.reading.pages import lines_of, pages, told_in
from collector.reading.table import as_table
from collector.reading.told import Days, Hours, Total
from collector.sending.client import DEFAULT_URL, client_for
from contract.shown import printable


class ReportFormat(StrEnum):
    """How the numbers are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


_MEDIA_TYPES: Final = {ReportFormat.CSV: "text/csv", ReportFormat.NDJSON: "application/x-ndjson"}


def report(  # noqa: PLR0913 - one a command-line option
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHEN",
            help="The first hour: a date, with a time or without; by default 24 hours before --to.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="WHEN", help="The end, not included; by default the end of this hour.")
    ] = None,
    tz: Annotated[
        str, typer.Option(metavar="ZONE", help="The time zone of what is given and shown, such as Europe/Berlin.")
    ] = "UTC",
    written: Annotated[
        ReportFormat, typer.Option("--format", help="A table with bars, or what the API answers.")
    ] = ReportFormat.TABLE,
    url: Annotated[str | None, typer.Option(help="Where the API is.", show_default=DEFAULT_URL)] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Ask the gateway of the stack in this folder.")
    ] = None,
    *,
    key_file: KeyFileOption = None,
    days: Annotated[bool, typer.Option("--days", help="A row for each day, its users each once.")] = False,
    total: Annotated[bool, typer.Option("--total", help="The whole span as one row, its users each once.")] = False,
) -> None:
    """Prints the numbers of each hour, or day, of a span, with bars, and how complete they are."""
    if url is not None and data is not None:
        raise typer.BadParameter("give either --url or --data")
    if days and total:
        raise typer.BadParameter("give either --days or --total")
    if total and written not in (ReportFormat.TABLE, ReportFormat.JSON):
        raise typer.BadParameter("--total is one row: as a table, or as JSON")
    zone = _zone(tz)
    if total:
        with client_for(url, data, key_file) as client:
            _print_total(client, _query(first, to, zone, days=True), zone, as_json=written is ReportFormat.JSON)
        return
    query = _query(first, to, zone, days=days) | {"format": "json" if written is ReportFormat.TABLE else written.value}
    with client_for(url, data, key_file) as client:
        found = pages(client, "/v1/days" if days else "/v1/hours", query)
        if written is ReportFormat.TABLE:
            _print_table([_told(page, days=days) for page in found], zone)
        elif written is ReportFormat.JSON:
            typer.echo(json.dumps(_document(found, days=days), indent=2))
        else:
            _print_lines(found, written)


def _zone(name: str) -> ZoneInfo:
    zone = iana_zone(name)
    if zone is None:
        raise typer.BadParameter(f"--tz {name}: no IANA time zone, such as Europe/Berlin")
    return zone


def _query(first: str | None, to: str | None, zone: ZoneInfo, *, days: bool) -> dict[str, str]:
    given = {name: text for name, text in (("from", first), ("to", to)) if text is not None}
    if days:
        return {**given, "tz": zone.key}
    return {name: _instant(text, zone) for name, text in given.items()}


def _instant(text: str, zone: ZoneInfo) -> str:
    """With the zone's offset, where it names none. What is no instant the API refuses, in words of its own."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).isoformat()


def _told(page: httpx.Response, *, days: bool) -> Days | Hours:
    return told_in(page, Days) if days else told_in(page, Hours)


def _document(found: Iterator[httpx.Response], *, days: bool) -> dict[str, Any]:
    """All pages as one."""
    rows = "days" if days else "hours"
    told = [_checked(page, Days if days else Hours) for page in found]
    through = [page["complete_through"] for page in told]
    return {
        rows: [row for page in told for row in page[rows]],
        "complete_through": None if None in through else min(through),
        "final": all(page["final"] for page in told),
    }


def _checked(page: httpx.Response, kind: type[Days | Hours | Total]) -> dict[str, Any]:
    """All that it says, also what we do not know."""
    told_in(page, kind)
    return told_in(page, dict[str, Any])


def _print_table(told: Sequence[Days | Hours], zone: ZoneInfo) -> None:
    known = [page.complete_through for page in told if page.complete_through is not None]
    through = min(known) if len(known) == len(told) else None
    rows = [row for page in told for row in page.rows]
    Console().print(as_table(rows, zone, through, final=all(page.final for page in told)))


def _print_total(client: httpx.Client, query: dict[str, str], zone: ZoneInfo, *, as_json: bool) -> None:
    page = next(pages(client, "/v1/totals", query))
    if as_json:
        typer.echo(json.dumps(_checked(page, Total), indent=2))
    else:
        told = told_in(page, Total)
        Console().print(as_table([told], zone, told.complete_through, final=told.final))


def _print_lines(found: Iterator[httpx.Response], written: ReportFormat) -> None:
    for number, page in enumerate(found):
        told = lines_of(page, _MEDIA_TYPES[written])
        _print_bytes(told.partition(b"\n")[2] if number and written is ReportFormat.CSV else told)


def _print_bytes(told: bytes) -> None:
    """As they came; but what a terminal shows must not command it."""
    if not sys.stdout.isatty():
        typer.echo(told, nl=False)
        return
    for line in told.decode(errors="replace").splitlines():
        typer.echo(printable(line))
