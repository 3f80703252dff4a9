"""Running an app under the HTTP server until a signal ends it."""

import asyncio
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI

from service.http_protocol import BoundedHttpProtocol
from service.keys.errors import KeysUnreadable
from service.logs.request_id import RequestIds
from service.process import configure_logging, say_who_may, spare_garbage_collection
from service.settings import EXIT_UNUSABLE_SETTINGS, ServiceSettings
from service.web.hosts import AllowedHosts

logger = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS: Final = 75
"""Above the minute after which common load balancers drop an idle connection: so the service is never first."""


def run_app(
    settings: ServiceSettings,
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
    say_who_may(settings)
    protocol.hosts = AllowedHosts(settings.allowed_hosts, settings.host)
    spare_garbage_collection()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(settings, create, drain_timeout, protocol))
        except KeysUnreadable as error:
            logger.error("cannot start: %s", error)  # noqa: TRY400 - the text says all, a traceback would hide it
            sys.exit(EXIT_UNUSABLE_SETTINGS)


async def _serve(
    settings: ServiceSettings,
    create: Callable[[], FastAPI],
    drain_timeout: timedelta,
    protocol: type[BoundedHttpProtocol],
) -> None:
    app = create()
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
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(drain_timeout.total_seconds()),
    )
    await _Server(config, getattr(app.state, "on_stop", lambda: None)).serve()


class _Server(uvicorn.Server):
    """The server, but those who give answers without an end hear that it stops."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)
