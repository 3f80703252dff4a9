"""An hour's answer as readers get it: the classic text, JSON, and the headers that go with both."""

from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from aggregator.hours.completeness import Completeness
from aggregator.hours.reader import Answer
from contract.hour import format_hour

NO_STORE: Final = "no-store"
NO_STORE_IN_OPENAPI: Final[dict[str, Any]] = {
    "description": "Late actions may change any hour's numbers.",
    "schema": {"const": NO_STORE},
    "required": True,
}
COMPLETENESS_IN_OPENAPI: Final[dict[str, Any]] = {
    "Collector-Complete-Through": {
        "description": "Every action acknowledged before this instant is counted. Absent where that is unknown.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "Collector-Lag": {
        "description": "Records of the log that are not counted yet. Absent where that is unknown.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Collector-Final": {
        "description": "Whether the hour is over and all that was acknowledged in it is counted.",
        "schema": {"type": "string", "enum": ["true", "false"]},
        "required": True,
    },
    "Cache-Control": NO_STORE_IN_OPENAPI,
}


class HourAnswer(BaseModel):
    """An hour's numbers, and how complete they are."""

    hour: str = Field(description="The hour's start, UTC.", examples=["2026-11-24T09:00:00Z"])
    clicks: int = Field(description="Actions with the event `click`.")
    impressions: int = Field(description="Actions with the event `impression`.")
    counts: dict[str, int] = Field(description="Actions by event, whatever the event; without duplicates.")
    unique_users: int = Field(description="Users with any action in the hour.")
    duplicates: int = Field(description="Lines not counted: their (user, id) was counted in this hour before.")
    complete_through: str | None = Field(
        description="Every action acknowledged before this instant is counted; null where that is unknown.",
        examples=["2026-11-24T09:59:58.123Z"],
    )
    lag: int | None = Field(description="Records of the log that are not counted yet; null where that is unknown.")
    lost: int = Field(
        description="Records that the log's retention removed before they were counted, ever and for all hours; "
        "`complete_through` and `final` speak of all others.",
    )
    final: bool = Field(
        description="The hour is over, and `complete_through` lies beyond its end by more than a margin for clock skew."
    )


def format_instant(instant: int) -> str:
    """`2026-11-24T09:59:58.123Z` for ms since the epoch."""
    return datetime.fromtimestamp(instant // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{instant % 1000:03d}Z"


def format_or_none(instant: int | None) -> str | None:
    """The same, for an instant that may be unknown."""
    return None if instant is None else format_instant(instant)


def classic_text(answer: Answer) -> str:
    """Three lines, each ending in a newline: unique_users, clicks, impressions."""
    totals = answer.totals
    return (
        f"unique_users,{totals.unique_users}\n"
        f"clicks,{totals.counts.get('click', 0)}\n"
        f"impressions,{totals.counts.get('impression', 0)}\n"
    )


def as_json(answer: Answer) -> HourAnswer:
    """All that is known of the hour."""
    totals, completeness = answer.totals, answer.completeness
    return HourAnswer(
        hour=format_hour(answer.hour),
        clicks=totals.counts.get("click", 0),
        impressions=totals.counts.get("impression", 0),
        counts=dict(sorted(totals.counts.items())),
        unique_users=totals.unique_users,
        duplicates=totals.duplicates,
        complete_through=format_or_none(completeness.complete_through),
        lag=completeness.lag,
        lost=answer.lost,
        final=completeness.final,
    )


def headers_of(answer: Answer) -> dict[str, str]:
    """How complete the answer is, for readers of the text; a header that is absent stands for unknown."""
    return {"Cache-Control": NO_STORE, **completeness_headers(answer.completeness)}


def completeness_headers(completeness: Completeness) -> dict[str, str]:
    """What an answer can promise."""
    headers = {"Collector-Final": "true" if completeness.final else "false"}
    if completeness.complete_through is not None:
        headers["Collector-Complete-Through"] = format_instant(completeness.complete_through)
    if completeness.lag is not None:
        headers["Collector-Lag"] = str(completeness.lag)
    return headers
