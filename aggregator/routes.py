"""What readers ask: an hour's numbers, as classic text or as JSON."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from aggregator.answers import HourReader
from aggregator.formats import COMPLETENESS_IN_OPENAPI, HourAnswer, as_json, classic_text, headers_of
from aggregator.parameters import TIMESTAMP_IN_OPENAPI, hour_in_path, hour_of_timestamp
from aggregator.problems import documented

_PROBLEMS = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_TEXT = {"schema": {"type": "string"}, "example": "unique_users,2\nclicks,3\nimpressions,1\n"}


def routes(reader: HourReader) -> APIRouter:
    """The routes of the business answer."""
    router = APIRouter(tags=["hours"])

    @router.get(
        "/analytics",
        summary="An hour's numbers, three lines of text",
        response_class=PlainTextResponse,
        openapi_extra=TIMESTAMP_IN_OPENAPI,
        responses={
            **_PROBLEMS,
            HTTPStatus.OK: {"content": {"text/plain": _TEXT}, "headers": COMPLETENESS_IN_OPENAPI},
        },
    )
    async def analytics(request: Request) -> PlainTextResponse:
        """The numbers of the UTC hour that holds `timestamp`: zeros for an hour without actions."""
        answer = await reader.read(hour_of_timestamp(request))
        return PlainTextResponse(classic_text(answer), headers=headers_of(answer))

    @router.get(
        "/v1/hours/{hour}",
        summary="An hour's numbers, and how complete they are",
        responses={**_PROBLEMS, HTTPStatus.OK: {"headers": COMPLETENESS_IN_OPENAPI}},
    )
    async def hours(
        hour: Annotated[str, Path(description="`2026-11-24T09`, or any ISO 8601 instant of the hour; UTC by default.")],
        response: Response,
    ) -> HourAnswer:
        """The numbers of a UTC hour, with every event that was counted."""
        answer = await reader.read(hour_in_path(hour))
        response.headers.update(headers_of(answer))
        return as_json(answer)

    return router
