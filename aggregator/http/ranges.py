"""Spans of hours."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from xxhash import xxh3_128_hexdigest

from aggregator.hours.range_reader import RangeReader, Span
from aggregator.http.range_parameters import SPAN_IN_OPENAPI, Page, page_of
from aggregator.http.representations import COMPLETENESS_IN_OPENAPI, completeness_headers
from aggregator.http.tables import FORMAT_IN_OPENAPI, Format, SpanAnswer, as_table, format_of
from contract.hour import format_hour
from service.clock import Clock
from service.openapi import documented

_PROBLEMS: Final = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_HEADERS: Final = {
    **COMPLETENESS_IN_OPENAPI,
    "Cache-Control": {
        "description": "Of final hours an answer may be kept for some seconds; of others it must be asked for again.",
        "schema": {"type": "string"},
        "required": True,
    },
    "ETag": {"description": "Changes when the numbers do.", "schema": {"type": "string"}, "required": True},
    "Link": {"description": "The next page, `rel=next`; absent on the last one.", "schema": {"type": "string"}},
}
_CSV: Final = (
    "hour,timestamp,unique_users,clicks,impressions,actions,duplicates,final\r\n"
    "2026-11-24T09:00:00Z,1795510800000,2,3,1,4,0,true\r\n"
)


def ranges(reader: RangeReader, clock: Clock) -> APIRouter:
    """The routes of spans."""
    router = APIRouter(tags=["hours"])

    @router.get(
        "/v1/hours",
        summary="The numbers of each hour of a span",
        response_model=SpanAnswer,
        openapi_extra={"parameters": [*SPAN_IN_OPENAPI, FORMAT_IN_OPENAPI]},
        responses={
            **_PROBLEMS,
            HTTPStatus.OK: {
                "headers": _HEADERS,
                "content": {
                    "text/csv": {"schema": {"type": "string"}, "example": _CSV},
                    Format.NDJSON.value: {"schema": {"type": "string", "description": "One row of `hours` a line."}},
                },
            },
            HTTPStatus.NOT_MODIFIED: {"description": "What `If-None-Match` names is still so.", "headers": _HEADERS},
        },
    )
    async def hours(request: Request) -> Response:
        """Hours without actions are there, with zeros. A page has at most 31 days; `next` leads to the one after it."""
        page, written = page_of(request, clock()), format_of(request)
        span = await reader.read(page.first, page.end)
        following = _following(request, page)
        body = as_table(span, written, following)
        headers = _headers(span, body, written, following)
        if headers["ETag"] in _tags(request):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        return Response(body, headers=headers, media_type=written.value)

    return router


def _following(request: Request, page: Page) -> str | None:
    if page.following is None:
        return None
    query = {**request.query_params, "from": format_hour(page.following), "to": format_hour(page.to)}
    return f"{request.url.path}?{urlencode(query, safe=':')}"


def _headers(span: Span, body: str, written: Format, following: str | None) -> dict[str, str]:
    """Late actions change final hours, too: whoever keeps an answer asks again whether it still holds."""
    headers = {
        **completeness_headers(span.completeness),
        "Cache-Control": "max-age=5, must-revalidate" if span.completeness.final else "no-cache",
        "ETag": f'W/"{_tag(span, body)}-{written.name.lower()}"',
        "Vary": "Accept",
    }
    return headers if following is None else {**headers, "Link": f'<{following}>; rel="next"'}


def _tag(span: Span, body: str) -> str:
    """Of the rows alone where all hours are final: that they were read again later changes none of them."""
    told = repr([(answer.hour, answer.totals) for answer in span.answers]) if span.completeness.final else body
    return xxh3_128_hexdigest(told.encode())


def _tags(request: Request) -> list[str]:
    return [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
