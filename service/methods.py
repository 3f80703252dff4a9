"""What every path answers besides its own methods: HEAD where it answers GET, OPTIONS, and 405 that names them all."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OF_ROUTES: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods of the request's path, sorted; none where nothing is at it."""
    methods = [
        method
        for method in _OF_ROUTES
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}) if methods else []


class PathMethods:
    """ASGI middleware for an app with these routes. A preflight of CORS is for whoever stands before it."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is for a route."""
        method = scope.get("method")
        if method not in ("HEAD", "OPTIONS"):
            await self._app(scope, receive, partial(self._send, scope, send))
            return
        allowed = allowed_methods(self._routes, scope)
        if method == "OPTIONS" and allowed:
            await Response(status_code=HTTPStatus.NO_CONTENT, headers=_allow(allowed))(scope, receive, send)
            return
        # The server sends no body, whatever comes: it goes by a scope of its own.
        asked = {**scope, "method": "GET"} if "GET" in allowed else scope
        await self._app(asked, receive, partial(self._send, scope, send))
        if "route" in asked:
            scope["route"] = asked["route"]

    async def _send(self, scope: Scope, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
            MutableHeaders(scope=message).update(_allow(allowed_methods(self._routes, scope)))
        await send(message)


def _allow(methods: Sequence[str]) -> dict[str, str]:
    return {"Allow": ", ".join(methods)}
