"""Both APIs behind the gateway, on memory for Kafka and InfluxDB: what is wrong is told as at their own ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from uvicorn import Config
from uvicorn.server import ServerState

from aggregator.app import create_app as create_aggregator
from aggregator.settings import AggregatorSettings
from contract.log.action import Action
from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from ingest_api.app import create_app as create_ingest_api
from ingest_api.http.server.fast_path_protocol import FastPathProtocol
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from service.http_protocol import BoundedHttpProtocol
from support.fixtures.aggregator import AggregatorFixture

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ACTION = "timestamp=1700000000000&user=u&event=click"


class Doors(NamedTuple):
    """Where requests can be sent, and what came in."""

    gateway: int
    ingest: int
    aggregator: int
    log: MemoryPublisher


@asynccontextmanager
async def listening(app: FastAPI, protocol: type[BoundedHttpProtocol]) -> AsyncIterator[int]:
    """The port at which the app is served as in production."""
    config = Config(app, log_config=None, proxy_headers=False, server_header=False)
    loop = asyncio.get_running_loop()
    async with app.router.lifespan_context(app) as state:
        server = await loop.create_server(
            lambda: protocol(config, ServerState(), dict(state or {}), loop), "127.0.0.1", 0
        )
        async with server:
            yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    log, fixture = MemoryPublisher(), AggregatorFixture()
    reader = create_aggregator(AggregatorSettings(), fixture.store, fixture.end_offsets, fixture.clock)
    async with AsyncExitStack() as exits:
        ingest = await exits.enter_async_context(listening(create_ingest_api(IngestSettings(), log), FastPathProtocol))
        aggregator = await exits.enter_async_context(listening(reader, BoundedHttpProtocol))
        upstreams = {"GATEWAY_INGEST": f"127.0.0.1:{ingest}", "GATEWAY_AGGREGATOR": f"127.0.0.1:{aggregator}"}
        gateway = Gateway(tmp_path / "gateway", free_port(), tmp_path / "gateway.log", upstreams)
        gateway.start()
        exits.push_async_callback(asyncio.to_thread, gateway.kill)
        await asyncio.to_thread(gateway.wait_until_ready)
        yield Doors(gateway.port, ingest, aggregator, log)


async def asked(port: int, method: str, target: bytes) -> bytes:
    """The whole answer to a request that is written by hand: no client sends such targets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(method.encode() + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("method", "target", "status", "code", "service"),
    [
        ("POST", f"/analytics?{ACTION}&id=%".encode(), 400, b"query_escape_malformed", "ingest"),
        ("POST", "/analytics?user=ü".encode(), 400, b"target_not_encoded", "ingest"),
        ("POST", "/analytics?user=ü".encode("latin-1"), 400, b"target_not_encoded", "ingest"),
        ("POST", b"/analytics?timestamp=1700000000&user=u&event=click", 400, b"timestamp_too_old", "ingest"),
        ("POST", b"/analytics?user=" + b"u" * 70_000, 414, b"target_too_long", "ingest"),
        ("POST", b"/v1/actions?x=" + b"x" * 70_000, 414, b"target_too_long", "ingest"),
        ("GET", f"/analytics?{ACTION}".encode(), 400, b"parameter_of_post", "aggregator"),
        ("GET", b"/analytics?timestamp=" + b"1" * 70_000, 414, b"target_too_long", "aggregator"),
        ("GET", b"/v1/hours/2026-10-25T02/", 404, b"not_found", "aggregator"),
        ("GET", b"/v1/ledger/", 404, b"not_found", "aggregator"),
        ("DELETE", b"/v1/ledger", 405, b"method_not_allowed", "aggregator"),
        ("DELETE", b"/v1/actions", 405, b"method_not_allowed", "ingest"),
    ],
)
async def test_what_is_refused_is_told_alike_at_both_ports(
    doors: Doors, method: str, target: bytes, status: int, code: bytes, service: str
) -> None:
    own = await asked(getattr(doors, service), method, target)
    through = await asked(doors.gateway, method, target)

    for answer in (own, through):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"content-type: application/problem+json" in head.lower()
        assert b'"code":"%b"' % code in body
    assert own.partition(b"\r\n\r\n")[2] == through.partition(b"\r\n\r\n")[2]
    assert doors.log.published == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/analytics", "GET, HEAD, OPTIONS, POST"),
        ("/v1/actions", "OPTIONS, POST"),
        ("/v1/hours/2026-10-25T02", "GET, HEAD, OPTIONS"),
        ("/v1/ledger", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ],
)
async def test_every_method_of_a_path_is_named_by_options_and_405_and_head_is_get_without_its_body(
    doors: Doors, path: str, allowed: str
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.gateway}", trust_env=False) as client:
        options, refused = await client.options(path), await client.delete(path)
        head, get = [await client.request(method, path, params={"timestamp": 0}) for method in ("HEAD", "GET")]

    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_actions_count_from_a_form_and_from_queries_with_empty_pairs_and_cache_busters(doors: Doors) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.gateway}", trust_env=False) as client:
        answers = [
            await client.post("/analytics", content=ACTION, headers=FORM),
            await client.post(f"/analytics?&{ACTION}&&_=1&"),
        ]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert doors.log.published == [Action(1_700_000_000_000, "u", "click")] * 2
