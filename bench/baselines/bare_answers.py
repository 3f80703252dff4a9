"""No work at all: an answer to each request, so that what the load generator and the sockets cost is known."""

import asyncio
import os
from typing import Final, cast

import uvloop

_READY: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Answers(asyncio.Protocol):
    """204 to what comes, 200 to a GET. A request comes in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by behaviour only

    def data_received(self, data: bytes) -> None:
        """Answers."""
        self._transport.write(_READY if data.startswith(b"GET") else _TAKEN)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", int(os.environ["COLLECTOR_PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
