"""What OpenAPI says about spans: parameters, headers, and the forms of a table."""

from http import HTTPStatus
from typing import Any, Final

from aggregator.http.representations import COMPLETENESS_IN_OPENAPI
from aggregator.http.spans.tables import Format

HEADERS_IN_OPENAPI: Final[dict[str, Any]] = {
    **COMPLETENESS_IN_OPENAPI,
    "Cache-Control": {
        "description": "What is final may be kept for some seconds; of the rest it must be asked again.",
        "schema": {"type": "string"},
        "required": True,
    },
    "ETag": {"description": "Changes when the numbers do.", "schema": {"type": "string"}, "required": True},
}
NOT_MODIFIED_IN_OPENAPI: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.NOT_MODIFIED: {"description": "What `If-None-Match` names still holds.", "headers": HEADERS_IN_OPENAPI}
}

FORMAT_IN_OPENAPI: Final[dict[str, Any]] = {
    "name": "format",
    "in": "query",
    "required": False,
    "description": "How the table is written; by default as `Accept` says, else JSON.",
    "schema": {"type": "string", "enum": [one.name.lower() for one in Format]},
    "example": "csv",
}


def table_in_openapi(rows: str, example: str | None = None) -> dict[str, Any]:
    """The other forms of a table whose JSON has its rows in the member `rows`."""
    described = f"A header line, and a line for each row of `{rows}`."
    as_csv = {"schema": {"type": "string", "description": described}}
    return {
        "text/csv": as_csv if example is None else {**as_csv, "example": example},
        Format.NDJSON.value: {"schema": {"type": "string", "description": f"One row of `{rows}` a line, as JSON."}},
    }


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


SPAN_IN_OPENAPI: Final = [
    _parameter(
        "from",
        "The first hour: an ISO 8601 date or date-time, UTC where it names no offset, or ms since the epoch; the start "
        "of an hour. By default 24 hours before `to`.",
        "2026-11-24",
    ),
    _parameter("to", "The end, not included; as `from`. By default the end of the current hour.", "2026-11-25T09:00Z"),
]
DAYS_IN_OPENAPI: Final = [
    _parameter("from", "The first day, YYYY-MM-DD. By default six days before the last one.", "2026-11-24"),
    _parameter("to", "The end, not included. By default tomorrow.", "2026-12-01"),
]
ZONE_IN_OPENAPI: Final = _parameter(
    "tz",
    "The IANA time zone of dates, and of instants that name no offset; UTC by default. Days that do not begin on an "
    "hour of UTC are refused: numbers are kept by these.",
    "Europe/Berlin",
)
