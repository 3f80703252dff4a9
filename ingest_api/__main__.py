"""`python -m ingest_api`: one door."""

import asyncio
import gc
import logging
import math
import signal
import sys
from typing import Final

import uvicorn
import uvloop
from pydantic import ValidationError

from ingest_api.app import create_kafka_app
from ingest_api.http.fast_path_protocol import FastPathProtocol
from ingest_api.settings import IngestSettings

_KEEP_ALIVE_SECONDS: Final = 75
"""Above the minute after which common load balancers drop an idle connection: so the door is never first."""

_GARBAGE: Final = 50_000
"""So many more objects than before are alive when cycles among them are looked for."""


async def _serve(settings: IngestSettings) -> None:
    config = uvicorn.Config(
        create_kafka_app(settings),
        host=settings.host,
        port=settings.port,
        http=FastPathProtocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.ingest_drain_timeout.total_seconds()),
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight. Exit code 0, 2 for unusable settings."""
    # The server finishes cleanly on a signal, then raises it again: this turns it into a clean exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = IngestSettings()
    except ValidationError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201 - there is no log yet, its level is a setting
        sys.exit(2)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # A quarter of the CPU of single POSTs went into looking for cycles, among all modules and the ten objects of each
    # request in flight: there are next to none.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


if __name__ == "__main__":
    main()
