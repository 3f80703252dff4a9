"""What readers ask: an hour's numbers, as classic text or as JSON, and the ledger."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from aggregator.hours.cache import HourCache
from aggregator.hours.reader import Answer
from aggregator.http.after import (
    AFTER_IN_OPENAPI,
    AfterReader,
    Counted,
    as_model,
    names_position,
    not_yet_in_openapi,
)
from aggregator.http.fast_path import ANALYTICS
from aggregator.http.parameters import TIMESTAMP_IN_OPENAPI, hour_in_path, hour_of_timestamp, wants_fresh
from aggregator.http.representations import (
    COMPLETENESS_IN_OPENAPI,
    NO_STORE,
    NO_STORE_IN_OPENAPI,
    HourAnswer,
    as_json,
    classic_text,
    headers_of,
)
from aggregator.ledger.model import Ledger
from aggregator.ledger.reader import LedgerReader
from service.openapi import documented

_PROBLEMS = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_LEDGER_PROBLEMS = documented(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_TEXT = {"schema": {"type": "string"}, "example": "unique_users,2\nclicks,3\nimpressions,1\n"}


def routes(reader: HourCache, ledger_reader: LedgerReader, after: AfterReader) -> APIRouter:
    """The routes of the business answer, and of its books."""
    router = APIRouter()

    async def read(hour: int, request: Request) -> tuple[Answer, Counted]:
        fresh = wants_fresh(request) or names_position(request)
        return await after.read(request, lambda: reader.read(hour, fresh=fresh), lambda answer: [answer])

    @router.get(
        ANALYTICS,
        tags=["hours"],
        summary="An hour's numbers, three lines of text",
        response_class=PlainTextResponse,
        openapi_extra={"parameters": [*TIMESTAMP_IN_OPENAPI["parameters"], *AFTER_IN_OPENAPI]},
        responses={
            **_PROBLEMS,
            HTTPStatus.OK: {"content": {"text/plain": _TEXT}, "headers": COMPLETENESS_IN_OPENAPI},
            **not_yet_in_openapi({"text/plain": _TEXT}, COMPLETENESS_IN_OPENAPI),
        },
    )
    async def analytics(request: Request) -> Response:
        """The numbers of the UTC hour that holds `timestamp`: zeros for an hour without actions.

        Those of the current hour and the one before may be half a second old; with `Cache-Control: no-cache` in the
        request they are read after it came. `user`, `event` and `id` are refused: POST records an action.
        """
        answer, counted = await read(hour_of_timestamp(request), request)
        return counted.applied_to(PlainTextResponse(classic_text(answer), headers=headers_of(answer)))

    @router.get(
        "/v1/hours/{hour}",
        tags=["hours"],
        summary="An hour's numbers, and how complete they are",
        openapi_extra={"parameters": AFTER_IN_OPENAPI},
        responses={
            **_PROBLEMS,
            HTTPStatus.OK: {"headers": COMPLETENESS_IN_OPENAPI},
            **not_yet_in_openapi(as_model("HourAnswer"), COMPLETENESS_IN_OPENAPI),
        },
    )
    async def hours(
        hour: Annotated[str, Path(description="`2026-11-24T09`, or any ISO 8601 instant of the hour; UTC by default.")],
        request: Request,
        response: Response,
    ) -> HourAnswer:
        """The numbers of a UTC hour, with every event that was counted; `Cache-Control: no-cache` as for the text."""
        answer, counted = await read(hour_in_path(hour), request)
        response.headers.update(headers_of(answer))
        counted.applied_to(response)
        return as_json(answer)

    @router.get(
        "/v1/ledger",
        tags=["ledger"],
        summary="Where each line of the log went",
        responses={**_LEDGER_PROBLEMS, HTTPStatus.OK: {"headers": {"Cache-Control": NO_STORE_IN_OPENAPI}}},
    )
    async def ledger(request: Request, response: Response) -> Ledger:
        """For each partition: lines read = counted + duplicates + rejected + lost, over all hours there ever were.

        The first reading takes all of them in, later ones what was counted since; with `Cache-Control: no-cache` all is
        read again. A partition that is counted on meanwhile is reported as in flight.
        """
        found = await ledger_reader.read(fresh=wants_fresh(request))
        response.headers["Cache-Control"] = NO_STORE
        return found

    return router
