"""Each way of sending tells where in the log its actions are."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from uvicorn import Config
from uvicorn.server import ServerState

from contract.log.action import Action, encode_action
from contract.log.position import MAX_LENGTH, Position, parse_position
from ingest_api.app import create_app
from ingest_api.http.position import position_headers
from ingest_api.http.server.fast_path_protocol import FastPathProtocol
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from support.fixtures.http_connection import Transport

NOW = 1_800_000_000_000
GOOD = f"/analytics?timestamp={NOW}&user=u1&event=click"
LINE = encode_action(Action(NOW, "u1", "click"))
NAME = "collector-position"


@pytest.fixture
def log() -> MemoryPublisher:
    one = MemoryPublisher()
    one.log = "log"
    return one


@pytest.fixture
def app(log: MemoryPublisher) -> FastAPI:
    return create_app(IngestSettings(ingest_origins={"https://shop.example"}), log, clock=lambda: NOW)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as one:
        yield one


def offset(answer: httpx.Response) -> int:
    position = parse_position(answer.headers[NAME])
    assert position.log == "log"
    return position.offsets[0]


async def test_each_way_of_sending_tells_where_the_actions_are(client: httpx.AsyncClient) -> None:
    assert offset(await client.post(GOOD)) == 0
    assert offset(await client.post("/v1/actions", content=LINE + b"\n" + LINE)) == 2
    assert offset(await client.get("/v1/pixel.gif?user=u1&event=click")) == 3
    assert offset(await client.post(GOOD)) == 4
    event = {"ce-specversion": "1.0", "ce-type": "click", "ce-source": "/u1", "ce-id": "1", "ce-subject": "u1"}
    assert offset(await client.post("/v1/events", headers=event)) == 5


async def test_the_fast_path_tells_it_in_its_one_write(app: FastAPI) -> None:
    config = Config(app, log_config=None, access_log=False)
    async with app.router.lifespan_context(app) as state:
        protocol = FastPathProtocol(config, ServerState(), dict[str, Any](state or {}), asyncio.get_running_loop())
        transport = Transport()
        protocol.connection_made(transport)
        for number in range(2):
            transport.written, transport.writes = b"", 0
            protocol.data_received(f"POST {GOOD} HTTP/1.1\r\nhost: api\r\n\r\n".encode())
            assert transport.writes == 1
            assert f"\r\ncollector-position: log.0.0-{number}\r\n".encode() in transport.written


async def test_where_the_log_does_not_say_it_nothing_is_told(client: httpx.AsyncClient, log: MemoryPublisher) -> None:
    log.log = None
    for answer in (await client.post(GOOD), await client.post("/v1/actions", content=LINE)):
        assert answer.is_success
        assert NAME not in answer.headers


async def test_what_is_not_in_the_log_is_nowhere(client: httpx.AsyncClient) -> None:
    refused = [
        await client.post(f"{GOOD}&event=x"),
        await client.post("/v1/actions", content=b"{}"),
        await client.post("/v1/actions?strict=true", content=LINE + b"\n{}"),
        await client.get("/v1/pixel.gif?user=u1&event=x"),
    ]
    assert [NAME in answer.headers for answer in refused] == [False] * 4


async def test_a_page_may_read_it(client: httpx.AsyncClient) -> None:
    answer = await client.post(GOOD, headers={"Origin": "https://shop.example"})
    assert "Collector-Position" in answer.headers["access-control-expose-headers"]
    assert NAME in answer.headers


def test_one_that_no_url_could_carry_is_not_told() -> None:
    few, many = (Position("log", NOW, dict.fromkeys(range(number), 10**9)) for number in (200, 1_000))
    assert len(many.text()) > MAX_LENGTH
    assert list(position_headers(few).values()) == [few.text()]
    assert position_headers(many) == {}
