"""Many hours as readers get them: JSON, CSV for spreadsheets and data frames, NDJSON."""

import csv
import io
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from fastapi import Request
from pydantic import BaseModel, Field

from aggregator.hours.range_reader import Span
from aggregator.hours.reader import Answer
from aggregator.http.problems import ParameterRefused
from aggregator.http.representations import format_or_none
from contract.hour import format_hour
from contract.log.action import reject


class Format(Enum):
    """How a table is written."""

    JSON = "application/json"
    CSV = "text/csv; charset=utf-8; header=present"
    NDJSON = "application/x-ndjson"


_BY_NAME: Final = {one.name.lower(): one for one in Format}
_BY_MEDIA_TYPE: Final = {one.value.partition(";")[0]: one for one in Format} | {"application/ndjson": Format.NDJSON}


def format_of(request: Request) -> Format:
    """What `format` says, else the best of what `Accept` names, else JSON. Raises ParameterRefused."""
    names = request.query_params.getlist("format")
    if not names:
        return _accepted(request.headers.get("accept", ""))
    if len(names) > 1 or names[0] not in _BY_NAME:
        raise ParameterRefused(
            reject("format_unknown", "format", ", ".join(names), f"format is one of {', '.join(_BY_NAME)}")
        )
    return _BY_NAME[names[0]]


def _accepted(accept: str) -> Format:
    best, weight = Format.JSON, 0.0
    for offered in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in offered.split(";"))
        found = _BY_MEDIA_TYPE.get(media_type)
        if found is not None and (q := _weight(parameters)) > weight:
            best, weight = found, q
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            return float(value) if value.replace(".", "", 1).isdecimal() else 0.0
    return 1.0


class HourRow(BaseModel):
    """An hour of a span."""

    hour: str = Field(description="The hour's start, UTC.", examples=["2026-11-24T09:00:00Z"])
    timestamp: int = Field(description="The same, ms since the epoch.", examples=[1795510800000])
    unique_users: int = Field(description="Users with any action in the hour.")
    clicks: int = Field(description="Actions with the event `click`.")
    impressions: int = Field(description="Actions with the event `impression`.")
    actions: int = Field(description="Actions of all events, without duplicates.")
    duplicates: int = Field(description="Lines not counted: their (user, id) was counted in this hour before.")
    final: bool = Field(
        description="The hour is over, and all that was acknowledged in it is counted, with a margin for clock skew."
    )


class SpanAnswer(BaseModel):
    """A page of hours, in order, and how complete they are."""

    hours: list[HourRow] = Field(description="Each hour of the page; zeros for one without actions.")
    complete_through: str | None = Field(
        description="Every action acknowledged before this instant is counted; null where that is unknown.",
        examples=["2026-11-24T09:59:58.123Z"],
    )
    lag: int | None = Field(description="Records of the log that are not counted yet; null where that is unknown.")
    final: bool = Field(description="Whether all these hours are.")
    next: str | None = Field(description="Where the next page is; null on the last one.")


def rows_of(span: Span) -> list[HourRow]:
    """A row for each hour."""
    return [_row(answer) for answer in span.answers]


def _row(answer: Answer) -> HourRow:
    counts = answer.totals.counts
    return HourRow(
        hour=format_hour(answer.hour),
        timestamp=answer.hour,
        unique_users=answer.totals.unique_users,
        clicks=counts.get("click", 0),
        impressions=counts.get("impression", 0),
        actions=sum(counts.values()),
        duplicates=answer.totals.duplicates,
        final=answer.completeness.final,
    )


def as_table(rows: Sequence[BaseModel], written: Format) -> str:
    """Rows of one kind, as CSV or NDJSON."""
    return _csv(rows) if written is Format.CSV else "".join(row.model_dump_json() + "\n" for row in rows)


def as_page(span: Span, written: Format, following: str | None) -> str:
    """A page of hours."""
    rows = rows_of(span)
    if written is not Format.JSON:
        return as_table(rows, written)
    completeness = span.completeness
    return SpanAnswer(
        hours=rows,
        complete_through=format_or_none(completeness.complete_through),
        lag=completeness.lag,
        final=completeness.final,
        next=following,
    ).model_dump_json()


def _csv(rows: Sequence[BaseModel]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(type(rows[0]).model_fields)
    table.writerows(map(_cells, rows))
    return text.getvalue()


def _cells(row: BaseModel) -> Iterator[object]:
    """As RFC 4180 has it; what data frames read as booleans."""
    for _, value in row:
        yield str(value).lower() if isinstance(value, bool) else value
