import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from service.http_protocol import BoundedHttpProtocol
from service.methods import PathMethods
from support.fixtures.http_connection import Transport
from support.fixtures.ingest import until


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    router = APIRouter()

    @router.get("/both", response_class=PlainTextResponse)
    async def read() -> PlainTextResponse:
        return PlainTextResponse("read", headers={"X-Mine": "yes"})

    @router.post("/both")
    async def write() -> None:
        pass

    @router.get("/of/{name}")
    async def of(name: str) -> str:
        return name

    @router.post("/write")
    async def only_write() -> None:
        pass

    app.include_router(router)
    app.add_middleware(PathMethods, routes=app.router.routes)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as one:
        yield one


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/both", "GET, HEAD, OPTIONS, POST"),
        ("/of/me", "GET, HEAD, OPTIONS"),
        ("/write", "OPTIONS, POST"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_and_a_refused_method_name_every_method_of_the_path(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    options = await client.options(path)
    refused = await client.delete(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")
    assert (refused.status_code, refused.headers.get_list("allow")) == (405, [allowed])


@pytest.mark.parametrize("path", ["/both", "/of/me", "/docs"])
async def test_head_is_answered_with_the_headers_of_get_and_without_a_body(
    client: httpx.AsyncClient, path: str
) -> None:
    head, get = await client.head(path), await client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.headers == get.headers
    assert int(head.headers["content-length"]) == len(get.content)
    assert (head.content, get.content[:1]) == (b"", get.content[:1])


async def test_the_server_writes_the_head_alone_and_goes_on_with_the_next_request(app: FastAPI) -> None:
    protocol = BoundedHttpProtocol(Config(app, log_config=None), ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    protocol.data_received(b"HEAD /both HTTP/1.1\r\n\r\nOPTIONS /both HTTP/1.1\r\n\r\nGET /both HTTP/1.1\r\n\r\n")
    await until(lambda: transport.written.endswith(b"\r\n\r\nread"))
    head, options, _ = transport.written.split(b"HTTP/1.1 ")[1:]
    assert head.startswith(b"200 OK\r\n")
    assert b"content-length: 4\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert options == b"204 No Content\r\nallow: GET, HEAD, OPTIONS, POST\r\n\r\n"


async def test_head_is_refused_where_there_is_no_get(client: httpx.AsyncClient) -> None:
    assert (await client.head("/write")).status_code == 405


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "GET", "DELETE"])
async def test_a_path_that_nothing_is_at_is_not_found_whatever_the_method(
    client: httpx.AsyncClient, method: str
) -> None:
    answer = await client.request(method, "/nowhere")
    assert answer.status_code == 404
    assert "allow" not in answer.headers
