"""What goes before the worker's pages, and before those that Faust adds by itself."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from service.keys.errors import KeyRefused
from service.keys.guard import KeyGuard
from service.keys.problems import explain_refused
from service.problems import MEDIA_TYPE
from stream_workers.pages.connections import BoundedConnection

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def web_options(guard: KeyGuard | None) -> dict[str, Any]:
    """What Faust's web application is made with."""
    return {"middlewares": [_noted] if guard is None else [_noted, _guarded_by(guard)]}


@web.middleware
async def _noted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A connection is idle only while nothing of it is answered."""
    if not isinstance(request.protocol, BoundedConnection):
        return await handler(request)
    with request.protocol.answering():
        return await handler(request)


def _guarded_by(guard: KeyGuard) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = [(name.lower(), value) for name, value in request.raw_headers]
        scope = {"path": request.path, "method": request.method, "headers": headers, "query_string": b""}
        try:
            guard.admit(scope)
        except KeyRefused as error:
            told = explain_refused(error)
            body = told.problem.model_dump_json(exclude_none=True)
            return web.Response(text=body, status=told.problem.status, headers=told.headers, content_type=MEDIA_TYPE)
        return await handler(request)

    return guarded


class MalformedRequests(logging.Filter):
    """One line for a request that is no HTTP, in place of a traceback. For the logger aiohttp.server."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes such a line; any other is written as it is."""
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.msg, record.args, record.exc_info = "refused a request that is no HTTP", None, None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
