"""An action by an image: `<img src="/v1/pixel.gif?user=u1&event=impression">`."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response

from ingest_api.errors import RequestRefused
from ingest_api.http.openapi import PIXEL_DOCS
from ingest_api.http.rejected_header import rejected_header
from ingest_api.http.request.form import Parameters
from ingest_api.http.server.fast_path import sender_of
from ingest_api.http.single_action import SingleAction
from service.clock import Clock

_SCREEN: Final = b"GIF89a" + bytes.fromhex("0100 0100 80 00 00")  # 1 by 1, two colours
_COLOURS: Final = bytes.fromhex("000000 ffffff")
_FIRST_IS_TRANSPARENT: Final = bytes.fromhex("21f9 04 01 0000 00 00")
_PIXEL: Final = bytes.fromhex("2c 0000 0000 0100 0100 00 02 02 4401 00")
_GIF: Final = _SCREEN + _COLOURS + _FIRST_IS_TRANSPARENT + _PIXEL + b";"

_HEADERS: Final = {
    # A copy that somebody kept would not be counted.
    "Cache-Control": "no-store",
    # Pages that embed only what allows it may embed it.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def pixel_routes(single: SingleAction, clock: Clock) -> APIRouter:
    """The routes of the image. By `clock`, an action without a timestamp happens when it arrives."""
    router = APIRouter(tags=["actions"])

    @router.get("/v1/pixel.gif", response_class=Response, **PIXEL_DOCS)
    async def pixel(request: Request) -> Response:
        try:
            taken = await single.publish(Parameters(request.scope["query_string"]), sender_of(request), arrived=clock())
        except RequestRefused as refused:
            return _image(rejected_header(refused.code, str(refused)))
        return _image(taken.headers)

    @router.head("/v1/pixel.gif", include_in_schema=False)
    async def head(_: Request) -> Response:
        return _image()

    return router


def _image(headers: Mapping[str, str] | None = None) -> Response:
    return Response(_GIF, headers={**_HEADERS, **(headers or {})}, media_type="image/gif")
