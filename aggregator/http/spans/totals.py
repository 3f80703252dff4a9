"""Spans added up: any span as one, and day by day."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from aggregator.hours.completeness import Completeness
from aggregator.hours.days import Day
from aggregator.hours.range_reader import RangeReader, Span, answers_of, weakest
from aggregator.hours.reader import Answer
from aggregator.hours.span_users import SpanUsers
from aggregator.http.after import AFTER_IN_OPENAPI, AfterReader, as_model, not_yet_in_openapi
from aggregator.http.representations import format_or_none
from aggregator.http.spans.conditional import conditional
from aggregator.http.spans.openapi import (
    DAYS_IN_OPENAPI,
    FORMAT_IN_OPENAPI,
    HEADERS_IN_OPENAPI,
    NOT_MODIFIED_IN_OPENAPI,
    SPAN_IN_OPENAPI,
    ZONE_IN_OPENAPI,
    table_in_openapi,
)
from aggregator.http.spans.parameters import SpanOfDays, days_of, short_span_of, zone_of
from aggregator.http.spans.tables import Format, as_table, format_of
from aggregator.http.spans.turns import SpanTurns
from contract.hour import HOUR_MS, format_hour
from service.clock import Clock
from service.openapi import documented

_PROBLEMS: Final = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)


class TotalsAnswer(BaseModel):
    """A span added up, and how complete it is."""

    start: str = Field(alias="from", description="The first hour, UTC.", examples=["2026-11-24T00:00:00Z"])
    to: str = Field(description="The end, not included.", examples=["2026-11-25T00:00:00Z"])
    unique_users: int = Field(description="Users with any action in the span, each once: never a sum over hours.")
    clicks: int = Field(description="Actions with the event `click`.")
    impressions: int = Field(description="Actions with the event `impression`.")
    counts: dict[str, int] = Field(description="Actions by event, whatever the event; without duplicates.")
    duplicates: int = Field(description="Lines not counted: their (user, id) was counted in their hour before.")
    complete_through: str | None = Field(
        description="Every action acknowledged before this instant is counted; null where that is unknown.",
        examples=["2026-11-24T09:59:58.123Z"],
    )
    lag: int | None = Field(description="Records of the log that are not counted yet; null where that is unknown.")
    lost: int = Field(
        description="Records that the log's retention removed before they were counted, ever and for all hours."
    )
    final: bool = Field(description="Whether all hours of the span are.")


class DayRow(BaseModel):
    """A day added up."""

    day: str = Field(description="YYYY-MM-DD.", examples=["2026-11-24"])
    timestamp: int = Field(description="Its start, ms since the epoch.", examples=[1795478400000])
    unique_users: int = Field(description="Users with any action in the day, each once: never a sum over hours.")
    clicks: int = Field(description="Actions with the event `click`.")
    impressions: int = Field(description="Actions with the event `impression`.")
    actions: int = Field(description="Actions of all events, without duplicates.")
    duplicates: int = Field(description="Lines not counted: their (user, id) was counted in their hour before.")
    hours: int = Field(description="How long the day is: 23 to 25, where the clock is changed.", examples=[24])
    final: bool = Field(description="Whether all hours of the day are.")


class DaysAnswer(BaseModel):
    """Days, in order, and how complete they are."""

    tz: str = Field(description="The time zone whose days these are.", examples=["Europe/Berlin"])
    days: list[DayRow] = Field(description="Each day of the span; zeros for one without actions.")
    complete_through: str | None = Field(
        description="Every action acknowledged before this instant is counted; null where that is unknown."
    )
    lag: int | None = Field(description="Records of the log that are not counted yet; null where that is unknown.")
    final: bool = Field(description="Whether all these days are.")


def span_totals(reader: RangeReader, users: SpanUsers, after: AfterReader, turns: SpanTurns, clock: Clock) -> APIRouter:
    """The routes of what is added up."""
    router = APIRouter(tags=["spans"])
    responses = {**_PROBLEMS, HTTPStatus.OK: {"headers": HEADERS_IN_OPENAPI}, **NOT_MODIFIED_IN_OPENAPI}

    @router.get(
        "/v1/totals",
        summary="A span of hours added up, its users each once",
        response_model=TotalsAnswer,
        openapi_extra={"parameters": [*SPAN_IN_OPENAPI, ZONE_IN_OPENAPI, *AFTER_IN_OPENAPI]},
        responses={**responses, **not_yet_in_openapi(as_model("TotalsAnswer"), HEADERS_IN_OPENAPI)},
    )
    async def totals(request: Request) -> Response:
        """Unique users are exact over any span: the union of the hours'. The first time, a busy span takes seconds."""
        first, end = short_span_of(request, clock(), zone_of(request))
        return await turns.answer(request, lambda: answer_totals(request, first, end))

    async def answer_totals(request: Request, first: int, end: int) -> Response:
        span, counted = await after.read(request, lambda: reader.read(first, end), answers_of)
        told = _totals(span, await users.count(span.answers), first, end)
        numbers = (first, end, told.unique_users, told.counts, told.duplicates)
        body = told.model_dump_json(by_alias=True)
        return counted.applied_to(conditional(request, body, Format.JSON.value, span.completeness, numbers=numbers))

    @router.get(
        "/v1/days",
        summary="The numbers of each day of a time zone",
        response_model=DaysAnswer,
        openapi_extra={"parameters": [*DAYS_IN_OPENAPI, ZONE_IN_OPENAPI, FORMAT_IN_OPENAPI, *AFTER_IN_OPENAPI]},
        responses={
            **responses,
            HTTPStatus.OK: {"headers": HEADERS_IN_OPENAPI, "content": table_in_openapi("days")},
            **not_yet_in_openapi({**as_model("DaysAnswer"), **table_in_openapi("days")}, HEADERS_IN_OPENAPI),
        },
    )
    async def days(request: Request) -> Response:
        """Days as the zone has them, of 23 to 25 hours; unique users are those of the day, each once."""
        asked, written = days_of(request, clock()), format_of(request)
        return await turns.answer(request, lambda: answer_days(request, asked, written))

    async def answer_days(request: Request, asked: SpanOfDays, written: Format) -> Response:
        async def read() -> list[Span]:
            return [await reader.read(day.first, day.end) for day in asked.days]

        spans, counted = await after.read(request, read, _answers)
        rows = [_row(day, span, await users.count(span.answers)) for day, span in zip(asked.days, spans, strict=True)]
        completeness = weakest([span.completeness for span in spans])
        body = as_table(rows, written) if written is not Format.JSON else _days(asked.zone, rows, completeness)
        return counted.applied_to(conditional(request, body, written.value, completeness, numbers=rows))

    return router


def _answers(spans: Sequence[Span]) -> Iterator[Answer]:
    return chain.from_iterable(span.answers for span in spans)


def _totals(span: Span, unique_users: int, first: int, end: int) -> TotalsAnswer:
    counts, completeness = span.counts, span.completeness
    return TotalsAnswer(
        **{"from": format_hour(first)},
        to=format_hour(end),
        unique_users=unique_users,
        clicks=counts.get("click", 0),
        impressions=counts.get("impression", 0),
        counts=dict(sorted(counts.items())),
        duplicates=span.duplicates,
        complete_through=format_or_none(completeness.complete_through),
        lag=completeness.lag,
        lost=max(answer.lost for answer in span.answers),
        final=completeness.final,
    )


def _row(day: Day, span: Span, unique_users: int) -> DayRow:
    counts = span.counts
    return DayRow(
        day=str(day.date),
        timestamp=day.first,
        unique_users=unique_users,
        clicks=counts.get("click", 0),
        impressions=counts.get("impression", 0),
        actions=sum(counts.values()),
        duplicates=span.duplicates,
        hours=(day.end - day.first) // HOUR_MS,
        final=span.completeness.final,
    )


def _days(zone: ZoneInfo, rows: list[DayRow], completeness: Completeness) -> str:
    return DaysAnswer(
        tz=zone.key,
        days=rows,
        complete_through=format_or_none(completeness.complete_through),
        lag=completeness.lag,
        final=completeness.final,
    ).model_dump_json()
