"""`collector report`."""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console

from aggregator.hours.zones import iana_zone
from collector.options import KeyFileOption
from collector.reading.pages import pages
from collector.reading.table import Row, as_table
from collector.sending.client import DEFAULT_URL, client_for


class ReportFormat(StrEnum):
    """How the numbers are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


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
            _print_table(found, zone, "days" if days else "hours")
        elif written is ReportFormat.JSON:
            typer.echo(json.dumps(_whole(found, "days" if days else "hours"), indent=2))
        else:
            _print_lines(found, header_lines=1 if written is ReportFormat.CSV else 0)


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


def _whole(found: Iterator[httpx.Response], rows: str) -> Row:
    """All pages as one."""
    told = [page.json() for page in found]
    through = [page["complete_through"] for page in told]
    return {
        rows: [row for page in told for row in page[rows]],
        "complete_through": None if None in through else min(through),
        "final": all(page["final"] for page in told),
    }


def _print_table(found: Iterator[httpx.Response], zone: ZoneInfo, rows: str) -> None:
    told = _whole(found, rows)
    Console().print(as_table(told[rows], zone, told["complete_through"], final=told["final"]))


def _print_total(client: httpx.Client, query: dict[str, str], zone: ZoneInfo, *, as_json: bool) -> None:
    (page,) = pages(client, "/v1/totals", query)
    told = page.json()
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        Console().print(as_table([told], zone, told["complete_through"], final=told["final"]))


def _print_lines(found: Iterator[httpx.Response], header_lines: int) -> None:
    for number, page in enumerate(found):
        lines = page.text.splitlines(keepends=True)
        typer.echo("".join(lines[header_lines if number else 0 :]), nl=False)
