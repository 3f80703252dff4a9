"""The guard before the worker's pages, and before those that Faust adds by itself."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from service.keys.errors import KeyRefused
from service.keys.guard import KeyGuard
from service.keys.problems import explain_refused
from service.problems import MEDIA_TYPE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NONE: Final[dict[str, Any]] = {}


def web_options(guard: KeyGuard | None) -> dict[str, Any]:
    """What Faust's web application is made with."""
    if guard is None:
        return _NONE

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

    return {"middlewares": [guarded]}


class MalformedRequests(logging.Filter):
    """One line for a request that is no HTTP, in place of a traceback. For the logger aiohttp.server."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes such a line; any other is written as it is."""
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.msg, record.args, record.exc_info = "refused a request that is no HTTP", None, None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
