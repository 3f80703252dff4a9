"""The process as orchestrators see it: started as a module, stopped by a signal."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import pytest
from aiohttp import web

from deploy.local.services.ports import free_port

_NO_ROWS: Final = b'{"results":[{"statement_id":0}]}\n'


class PausableInfluxDB:
    """Answers each query with no rows, but not while it is paused."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.resumed = asyncio.Event()
        self.resumed.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""
        app = web.Application()
        app.router.add_route("*", "/query", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self.resumed.wait()
        return web.Response(body=_NO_ROWS)


@asynccontextmanager
async def aggregator(influx_url: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """The process, once it is ready, and a client of it. There is no Kafka."""
    port = free_port()
    settings = {
        "COLLECTOR_PORT": str(port),
        "COLLECTOR_INFLUX_URL": influx_url,
        "COLLECTOR_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "COLLECTOR_AGGREGATOR_KAFKA_TIMEOUT": "PT0.1S",
        "COLLECTOR_AGGREGATOR_KAFKA_RETRY": "PT60S",
        "COLLECTOR_AGGREGATOR_PROBE_TIMEOUT": "PT30S",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aggregator", env={**os.environ, **settings}, stderr=PIPE
    )
    try:
        await _until_it_says(process, b"running on")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_signal_ends_answers_that_have_no_end() -> None:
    async with (
        PausableInfluxDB().serving() as url,
        aggregator(url) as (process, client),
        client.stream("GET", "/v1/live") as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: hour"

        process.send_signal(signal.SIGTERM)

        assert [line async for line in lines][-1] == ""
        assert await process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    async with PausableInfluxDB().serving() as url, aggregator(url) as (process, client):
        assert (await client.get("/readyz")).status_code == 200

        process.send_signal(number)

        assert await process.wait() == 0


async def test_what_is_in_flight_at_sigterm_is_answered() -> None:
    influxdb = PausableInfluxDB()
    async with influxdb.serving() as url, aggregator(url) as (process, client):
        influxdb.resumed.clear()
        asking = asyncio.create_task(client.get("/analytics?timestamp=0"))
        await influxdb.asked.wait()

        process.send_signal(signal.SIGTERM)
        await _until_it_says(process, b"Shutting down")
        assert not asking.done()
        influxdb.resumed.set()

        answer = await asking
        assert (answer.status_code, answer.text) == (200, "unique_users,0\nclicks,0\nimpressions,0\n")
        assert await process.wait() == 0


async def test_an_offer_to_upgrade_is_ignored_and_a_body_is_no_request_of_its_own() -> None:
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    async with PausableInfluxDB().serving() as url, aggregator(url) as (_, client):
        body = b"GET /healthz HTTP/1.1\r\n\r\n"
        answer = await client.request("GET", "/analytics?timestamp=0", headers=offer, content=body)
        assert (answer.status_code, answer.text) == (200, "unique_users,0\nclicks,0\nimpressions,0\n")
        assert (await client.get("/analytics?timestamp=x")).status_code == 400


async def test_a_head_that_does_not_end_is_refused_with_a_problem() -> None:
    async with PausableInfluxDB().serving() as url, aggregator(url) as (_, client):
        answer = await client.get("/analytics?timestamp=0", headers={"X": "x" * 200_000})
        assert (answer.status_code, answer.json()["code"]) == (431, "head_too_large")


async def test_a_target_that_is_too_long_is_refused_as_such() -> None:
    async with PausableInfluxDB().serving() as url, aggregator(url) as (_, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"GET /analytics?timestamp=" + b"1" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 414 ")
        writer.close()


async def _until_it_says(process: Process, text: bytes) -> None:
    assert process.stderr is not None
    while text not in (line := await process.stderr.readline()):
        assert line, "it ended without saying so"
