"""Running an app under the HTTP server until a signal ends it."""

import asyncio
import logging
import math
import select
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

import uvicorn
import uvloop
from fastapi import FastAPI

from service.client import ClientNames
from service.connections.guard import Guard
from service.connections.limits import ConnectionLimits, raise_descriptor_limit
from service.connections.quiet_log import QuietLog, quieten_log
from service.http_protocol import BoundedHttpProtocol
from service.keys.errors import KeysUnreadable
from service.logs.request_id import RequestIds
from service.process import configure_logging, say_who_may, spare_garbage_collection
from service.settings import EXIT_UNUSABLE_SETTINGS, HttpSettings
from service.web.hosts import AllowedHosts

logger = logging.getLogger(__name__)

LET_IN_SECONDS: Final = 0.5
"""So long at most a stop lets in who has connected already."""


def run_app(
    settings: HttpSettings,
    create: Callable[[], FastAPI],
    *,
    drain_timeout: timedelta,
    protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol,
) -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight, for `drain_timeout` at most, and exits with 0.

    Where the file of keys is unusable: a log line, and exit code 2. `create` is called on the event loop. What the app
    has as `state.on_stop` is called when the stop begins: it ends answers that have no end.
    """
    # The server finishes cleanly on a signal, then raises it again: this turns it into a clean exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    configure_logging(settings)
    quiet = quieten_log()
    bounds = _Bounds(limits_of(settings, raise_descriptor_limit()), quiet)
    say_who_may(settings)
    protocol.hosts = AllowedHosts(settings.allowed_hosts, settings.host)
    spare_garbage_collection()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(settings, create, drain_timeout, protocol, bounds))
        except KeysUnreadable as error:
            logger.error("cannot start: %s", error)  # noqa: TRY400 - the text says all, a traceback would hide it
            sys.exit(EXIT_UNUSABLE_SETTINGS)


def limits_of(settings: HttpSettings, descriptors: int) -> ConnectionLimits:
    """What connections may take, by the settings and by what the system allows."""
    limits = ConnectionLimits(settings.max_connections, settings.max_client_connections).within(descriptors)
    if limits.connections < settings.max_connections:
        logger.warning(
            "%d connections are taken, not %d: the system allows %d descriptors",
            limits.connections,
            settings.max_connections,
            descriptors,
        )
    return limits


async def _serve(
    settings: HttpSettings,
    create: Callable[[], FastAPI],
    drain_timeout: timedelta,
    protocol: type[BoundedHttpProtocol],
    bounds: "_Bounds",
) -> None:
    app = create()
    limits = bounds.limits
    guard = Guard(limits, ClientNames(settings.trusted_proxies), getattr(app.state, "connection_metrics", None))
    config = uvicorn.Config(
        RequestIds(app),
        host=settings.host,
        port=settings.port,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=math.ceil(limits.idle_seconds),
        timeout_graceful_shutdown=math.ceil(drain_timeout.total_seconds()),
    )
    await Server(config, guard, bounds.log, getattr(app.state, "on_stop", lambda: None)).serve()


class _Bounds(NamedTuple):
    """What strangers may make a process do."""

    limits: ConnectionLimits
    log: QuietLog


class Server(uvicorn.Server):
    """The server, but its connections are guarded, and those who give answers without an end hear that it stops."""

    def __init__(self, config: uvicorn.Config, guard: Guard, log: QuietLog, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._log = log
        self.server_state = self._guard = guard
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._watching = asyncio.create_task(self._guard.watch(self._log.report))
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        self._guard.is_stopping = True
        await self._let_in()
        await super().shutdown(sockets)
        self._watching.cancel()

    async def _let_in(self) -> None:
        """Who has connected already: the system would reset them."""
        waiting = select.poll()
        for server in self.servers:
            for listening in server.sockets:
                waiting.register(listening, select.POLLIN)
        # One in each turn. Whoever connects without end must not keep the process from stopping.
        loop = asyncio.get_running_loop()
        ends = loop.time() + LET_IN_SECONDS
        while waiting.poll(0) and loop.time() < ends:  # noqa: ASYNC110 - it is the turn that lets one in
            await asyncio.sleep(0)
