"""`GET /v1/live`: server-sent events, each listener one connection that stays open."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from aggregator.live.feed import LiveFeed

_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE: Final = (
    'event: hour\nid: 1795510923456\ndata: {"hour":"2026-11-24T09:00:00Z","clicks":3,"impressions":1,"unique_users":2,'
    '"complete_through":"2026-11-24T09:02:03.400Z","lag":0,"final":false,"actions":4,"actions_per_second":1.5}\n\n'
)
_OK_IN_OPENAPI: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK: {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}}}
}


def live(feed: LiveFeed) -> APIRouter:
    """The route of those who listen."""
    router = APIRouter(tags=["hours"])

    @router.get(
        "/v1/live",
        summary="The current hour as it moves",
        response_class=Response,
        responses=_OK_IN_OPENAPI,
        openapi_extra={
            "parameters": [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "required": False,
                    "description": "The last event that was seen; browsers send it when they connect again.",
                    "schema": {"type": "integer"},
                }
            ]
        },
    )
    async def listen(request: Request) -> Response:
        """Server-sent events, twice a second: `hour` with what `/v1/hours/{hour}` answers and the rate of actions.

        `unavailable` while the store does not answer. Each event says all there is: one that was missed is not missing.
        """
        seen = request.headers.get("last-event-id", "")
        return _EventStream(feed, int(seen) if seen.isdecimal() and len(seen) < 20 else None)  # noqa: PLR2004 - 64 bits

    @router.head("/v1/live", include_in_schema=False)
    async def head() -> Response:
        return Response(headers=_HEADERS, media_type=_MEDIA_TYPE)

    return router


class _EventStream(Response):
    """Events until the client leaves or the process stops."""

    media_type = _MEDIA_TYPE

    def __init__(self, feed: LiveFeed, seen: int | None) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feed = feed
        self._seen = seen

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        telling.cancel()
        await asyncio.wait({telling})
        if not telling.cancelled():
            telling.result()

    async def _tell(self, send: Send) -> None:
        async with self._feed.listening():
            while (event := await self._feed.after(self._seen)) is not None:
                self._seen = event.number
                await send({"type": "http.response.body", "body": event.text, "more_body": True})
        await send({"type": "http.response.body"})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
