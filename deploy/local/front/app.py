"""The door's app, wired once: POST goes to the ingest API, everything else to the aggregator."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.front.docs import docs_routes
from deploy.local.front.openapi import merge_documents
from deploy.local.front.problems import unavailable
from deploy.local.front.proxy import pass_on, proxy_client
from deploy.local.front.upstreams import Upstreams
from deploy.local.members import Role

_SERVICES = (Role.INGEST, Role.AGGREGATOR)
_PROBE_SECONDS = 5.0


def create_app(upstreams: Upstreams) -> Starlette:
    """The app; the processes behind it are whoever `upstreams` names at the time of a request."""
    client = proxy_client()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        ready = [await _any_ready(client, upstreams.of(role)) for role in _SERVICES]
        body = {"ready": all(ready)} | {role.value: one for role, one in zip(_SERVICES, ready, strict=True)}
        return JSONResponse(body, HTTPStatus.OK if all(ready) else HTTPStatus.SERVICE_UNAVAILABLE)

    async def openapi(_: Request) -> Response:
        try:
            documents = {role.value: await _document(client, upstreams.of(role)) for role in _SERVICES}
        except httpx.HTTPError as error:
            return unavailable("service_unavailable", f"a service does not tell what it offers: {error!r}")
        return JSONResponse(merge_documents(documents))

    async def proxy(request: Request) -> Response:
        role = Role.INGEST if request.method == "POST" else Role.AGGREGATOR
        return await pass_on(request, client, upstreams.of(role))

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/openapi.json", openapi),
            *docs_routes("/openapi.json", "User actions collector"),
            Route("/{path:path}", proxy, methods=methods),
        ],
    )


async def _any_ready(client: httpx.AsyncClient, ports: Sequence[int]) -> bool:
    async def is_ready(port: int) -> bool:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/readyz", timeout=_PROBE_SECONDS)
        except httpx.TransportError:
            return False
        return answer.is_success

    return any(await asyncio.gather(*(is_ready(port) for port in ports)))


async def _document(client: httpx.AsyncClient, ports: Sequence[int]) -> dict[str, object]:
    trouble: httpx.HTTPError = httpx.ConnectError("no process of this service runs")
    for port in ports:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/openapi.json", timeout=_PROBE_SECONDS)
            document: dict[str, object] = answer.raise_for_status().json()
        except httpx.HTTPError as error:
            trouble = error
        else:
            return document
    raise trouble
