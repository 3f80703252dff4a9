"""Passing a request on to one of several equal processes, and its answer back; bodies stream both ways."""

from collections.abc import Sequence

import httpx
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from deploy.local.front.problems import unavailable

_OF_ONE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that concern one connection only (RFC 9110, 7.6.1)."""
_TIMEOUT = httpx.Timeout(None, connect=2)


def proxy_client() -> httpx.AsyncClient:
    """The client that the proxy needs.

    It keeps no connection: on a kept one, nobody can tell whether a process that went away had received the request.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(limits=limits, timeout=_TIMEOUT, trust_env=False, follow_redirects=False)


async def pass_on(request: Request, client: httpx.AsyncClient, ports: Sequence[int]) -> Response:
    """The answer of the first process that takes the connection.

    A request goes to the next one only where the connection was refused, before any of it was sent: a POST that may
    have been received is never sent twice.
    """
    for port in ports:
        try:
            answer = await client.send(_copy(request, client, port), stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
        except httpx.TransportError as error:
            detail = f"the connection broke ({error!r}): whether the request was carried out is unknown"
            return unavailable("outcome_unknown", detail)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in _OF_ONE_CONNECTION]
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [(name.lower(), value) for name, value in headers]
        return response
    return unavailable("not_sent", "no process of this service takes connections; nothing was sent")


def _copy(request: Request, client: httpx.AsyncClient, port: int) -> httpx.Request:
    raw_path = request.scope["raw_path"] + (b"?" + request.scope["query_string"] if request.url.query else b"")
    headers = [(name, value) for name, value in request.headers.raw if name not in _OF_ONE_CONNECTION]
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    return client.build_request(
        request.method,
        httpx.URL(scheme="http", host="127.0.0.1", port=port, raw_path=raw_path),
        headers=headers,
        content=request.stream() if has_body else None,
    )
