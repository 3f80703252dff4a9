"""What goes before the worker's pages, and before those that Faust adds by itself."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from service.keys.errors import KeyRefused
from service.keys.guard import KeyGuard
from service.keys.problems import explain_refused
from service.problems import MEDIA_TYPE, Problem
from service.web.hosts import AllowedHosts, is_for_operators, refused_host
from stream_workers.pages.connections import BoundedConnection

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def web_options(hosts: AllowedHosts, guard: KeyGuard | None) -> dict[str, Any]:
    """What Faust's web application is made with."""
    before = [_noted, _answering_for(hosts)]
    return {"middlewares": before if guard is None else [*before, _guarded_by(guard)]}


@web.middleware
async def _noted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A connection is idle only while nothing of it is answered."""
    if not isinstance(request.protocol, BoundedConnection):
        return await handler(request)
    with request.protocol.answering():
        return await handler(request)


def _answering_for(hosts: AllowedHosts) -> Middleware:
    @web.middleware
    async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
        target = request.raw_path.encode(errors="surrogateescape")
        for name, value in request.raw_headers:
            if name.lower() == b"host" and not hosts.allows(value) and not is_for_operators(target, value):
                return _as_response(refused_host(value))
        return await handler(request)

    return answering


def _guarded_by(guard: KeyGuard) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = [(name.lower(), value) for name, value in request.raw_headers]
        scope = {"path": request.path, "method": request.method, "headers": headers, "query_string": b""}
        try:
            guard.admit(scope)
        except KeyRefused as error:
            told = explain_refused(error)
            return _as_response(told.problem, told.headers)
        return await handler(request)

    return guarded


def _as_response(told: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    body = told.model_dump_json(exclude_none=True)
    return web.Response(text=body, status=told.status, headers=headers, content_type=MEDIA_TYPE)


class MalformedRequests(logging.Filter):
    """One line for a request that is no HTTP, in place of a traceback. For the logger aiohttp.server."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes such a line; any other is written as it is."""
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.msg, record.args, record.exc_info = "refused a request that is no HTTP", None, None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
