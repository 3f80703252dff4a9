"""A TCP door before a service: it can be shut, hold back what passes, or lose the answers."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self

from deploy.local.ports import free_port

_CHUNK = 65_536


class Door:
    """Forwards a port of loopback to a service, from a thread of its own.

    `shut` refuses connections, as a service does that is down. `hold` lets connections in, and nothing through, as a
    stopped process does; what came is passed on when it is opened, which may be long after the client gave up.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._run(self._open())

    def shut(self) -> None:
        self._run(self._shut())

    def hold(self) -> None:
        self._run(self._hold())

    def __enter__(self) -> Self:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _hold(self) -> None:
        self._passing.clear()

    async def _end(self) -> None:
        self._passing.set()
        await self._shut()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            # A client may have been let in just now.
            await self._shut()
            await asyncio.wait(tasks, timeout=0.05)
        # Transports that were aborted close in the loop's next round.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection(*self._target)
            ends.add(back)
            self._writers.add(back)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass_on(reader, back))
                ways.create_task(self._pass_on(there, writer))
        except OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_CHUNK):
                await self._passing.wait()
                target.write(piece)
                await target.drain()
            target.write_eof()
