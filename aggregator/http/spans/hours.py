"""Spans of hours."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from aggregator.hours.range_reader import RangeReader, answers_of
from aggregator.http.after import AFTER_IN_OPENAPI, AfterReader, as_model, not_yet_in_openapi
from aggregator.http.spans.conditional import conditional
from aggregator.http.spans.openapi import (
    FORMAT_IN_OPENAPI,
    HEADERS_IN_OPENAPI,
    NOT_MODIFIED_IN_OPENAPI,
    SPAN_IN_OPENAPI,
    table_in_openapi,
)
from aggregator.http.spans.parameters import Page, page_of
from aggregator.http.spans.tables import Format, SpanAnswer, as_page, format_of
from aggregator.http.spans.turns import SpanTurns
from contract.hour import format_hour
from service.clock import Clock
from service.openapi import documented

_PROBLEMS: Final = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_HEADERS: Final = {
    **HEADERS_IN_OPENAPI,
    "Link": {"description": "The next page, `rel=next`; absent on the last one.", "schema": {"type": "string"}},
}
_CSV: Final = (
    "hour,timestamp,unique_users,clicks,impressions,actions,duplicates,final\r\n"
    "2026-11-24T09:00:00Z,1795510800000,2,3,1,4,0,true\r\n"
)


def ranges(reader: RangeReader, after: AfterReader, turns: SpanTurns, clock: Clock) -> APIRouter:
    """The routes of spans."""
    router = APIRouter(tags=["hours"])

    @router.get(
        "/v1/hours",
        summary="The numbers of each hour of a span",
        response_model=SpanAnswer,
        openapi_extra={"parameters": [*SPAN_IN_OPENAPI, FORMAT_IN_OPENAPI, *AFTER_IN_OPENAPI]},
        responses={
            **_PROBLEMS,
            HTTPStatus.OK: {
                "headers": _HEADERS,
                "content": table_in_openapi("hours", _CSV),
            },
            **NOT_MODIFIED_IN_OPENAPI,
            **not_yet_in_openapi({**as_model("SpanAnswer"), **table_in_openapi("hours")}, _HEADERS),
        },
    )
    async def hours(request: Request) -> Response:
        """Hours without actions are there, with zeros. A page has at most 31 days; `next` leads to the one after it."""
        page, written = page_of(request, clock()), format_of(request)
        return await turns.answer(request, lambda: answer(request, page, written))

    async def answer(request: Request, page: Page, written: Format) -> Response:
        span, counted = await after.read(request, lambda: reader.read(page.first, page.end), answers_of)
        following = _following(request, page)
        found = conditional(
            request,
            as_page(span, written, following),
            written.value,
            span.completeness,
            numbers=[(answer.hour, answer.totals) for answer in span.answers],
            headers={} if following is None else {"Link": f'<{following}>; rel="next"'},
        )
        return counted.applied_to(found)

    return router


def _following(request: Request, page: Page) -> str | None:
    if page.following is None:
        return None
    query = {**request.query_params, "from": format_hour(page.following), "to": format_hour(page.to)}
    return f"{request.url.path}?{urlencode(query, safe=':')}"
