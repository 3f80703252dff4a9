import asyncio
import socket
from contextlib import ExitStack

import pytest
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn import Config

from service.connections.guard import Guard
from service.connections.quiet_log import QuietLog
from service.http_protocol import BoundedHttpProtocol
from service.server import Server

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


async def app(scope: Scope, _: Receive, send: Send) -> None:
    """Answers 204."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.mark.parametrize("clients", [1, 30])
def test_who_has_connected_before_a_stop_is_answered_though_nobody_looked_at_the_connection_yet(clients: int) -> None:
    async def stopped() -> list[bytes]:
        config = Config(app, port=0, http=BoundedHttpProtocol, log_config=None, lifespan="off")
        config.load()
        server = Server(config, Guard(), QuietLog(), lambda: None)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        address = server.servers[0].sockets[0].getsockname()
        with ExitStack() as closing:
            # The event loop has no turn before the stop begins.
            connected = [closing.enter_context(socket.create_connection(address)) for _ in range(clients)]
            for one in connected:
                one.sendall(REQUEST)
            await server.shutdown()
            return [one.recv(4096) for one in connected]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(stopped())
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 204"] * clients


class AlwaysSomebody:
    """Whoever looks finds that somebody has connected."""

    def register(self, *_: object) -> None:
        pass

    def poll(self, _: int) -> bool:
        return True


@pytest.mark.timeout(30)
def test_a_stop_begins_though_somebody_connects_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.server.select.poll", AlwaysSomebody)
    monkeypatch.setattr("service.server.LET_IN_SECONDS", 0.01)

    async def stopped() -> bool:
        # So many turns would take minutes.
        config = Config(app, port=0, http=BoundedHttpProtocol, log_config=None, lifespan="off", backlog=2**31 - 1)
        config.load()
        server = Server(config, Guard(), QuietLog(), lambda: None)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        await server.shutdown()
        return not server.servers[0].is_serving()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(stopped())
