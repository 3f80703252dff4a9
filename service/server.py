"""Running an app under the HTTP server until a signal ends it."""

import asyncio
import math
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI

from service.http_protocol import BoundedHttpProtocol
from service.process import configure_logging, spare_garbage_collection
from service.settings import ServiceSettings

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

    `create` is called on the event loop.
    """
    # The server finishes cleanly on a signal, then raises it again: this turns it into a clean exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    configure_logging(settings)
    spare_garbage_collection()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, create, drain_timeout, protocol))


async def _serve(
    settings: ServiceSettings,
    create: Callable[[], FastAPI],
    drain_timeout: timedelta,
    protocol: type[BoundedHttpProtocol],
) -> None:
    config = uvicorn.Config(
        create(),
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
    await uvicorn.Server(config).serve()
