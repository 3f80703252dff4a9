import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from aggregator.app import create_app
from aggregator.settings import AggregatorSettings
from support.fixtures.aggregator import AggregatorFixture


class Connection:
    """One request to the app, whose answer may have no end."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> dict[str, Any]:
        return await self.sent.get()


@asynccontextmanager
async def listening(app: FastAPI, method: str = "GET", seen: str | None = None) -> AsyncIterator[Connection]:
    connection = Connection()
    headers = [] if seen is None else [(b"last-event-id", seen.encode())]
    scope = {"type": "http", "method": method, "path": "/v1/live", "query_string": b"", "headers": headers}
    task = asyncio.create_task(app(scope, connection.receive, connection.sent.put))
    try:
        yield connection
    finally:
        connection.left.set()
        await task


def app_of(fixture: AggregatorFixture) -> FastAPI:
    return create_app(AggregatorSettings(), fixture.store, fixture.end_offsets, fixture.clock)


def number_of(message: dict[str, Any]) -> str:
    """The id of the event in it."""
    (line,) = [line for line in message["body"].decode().splitlines() if line.startswith("id: ")]
    return str(line.removeprefix("id: "))


async def test_events_come_until_the_client_leaves() -> None:
    async with listening(app_of(AggregatorFixture())) as connection:
        start = await connection.next()
        assert start["status"] == 200
        headers = dict(start["headers"])
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert headers[b"cache-control"] == b"no-store"
        assert b"content-length" not in headers
        first = await connection.next()
        assert first["body"].startswith(b"event: hour\nid: ")
        assert first["more_body"]
        assert number_of(await connection.next()) > number_of(first)


async def test_an_event_that_was_seen_is_not_sent_again() -> None:
    app = app_of(AggregatorFixture())
    async with listening(app) as one:
        await one.next()
        seen = number_of(await one.next())
        async with listening(app, seen=seen) as other:
            await other.next()
            assert number_of(await other.next()) != seen


async def test_a_last_event_that_is_no_number_is_as_none() -> None:
    async with listening(app_of(AggregatorFixture()), seen="nonsense") as connection:
        await connection.next()
        assert (await connection.next())["body"].startswith(b"event: hour\n")


async def test_a_stop_of_the_process_ends_the_answer() -> None:
    app = app_of(AggregatorFixture())
    async with listening(app) as connection:
        await connection.next()
        await connection.next()
        app.state.on_stop()
        while (message := await connection.next()).get("more_body"):
            pass
        assert message == {"type": "http.response.body"}


async def test_head_is_answered_at_once() -> None:
    async with listening(app_of(AggregatorFixture()), method="HEAD") as connection:
        start, body = await connection.next(), await connection.next()
    assert dict(start["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert not body.get("more_body")
