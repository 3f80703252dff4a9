"""`python -m aggregator`: one reader."""

import asyncio
import gc
import logging
import math
import signal
import sys
import time
from typing import Final

import uvicorn
import uvloop
from pydantic import ValidationError

from aggregator.app import create_app
from aggregator.end_offsets.kafka import KafkaEndOffsets
from aggregator.settings import AggregatorSettings
from stores.influx.store import InfluxStore

_KEEP_ALIVE_SECONDS: Final = 75
"""Above the minute after which common load balancers drop an idle connection: so the reader is never first."""

_GARBAGE: Final = 50_000
"""So many more objects than before are alive when cycles among them are looked for."""


def now() -> int:
    """Ms since the epoch, UTC; rounded down: never later than it is."""
    return time.time_ns() // 1_000_000


async def _serve(settings: AggregatorSettings) -> None:
    end_offsets = KafkaEndOffsets(settings.kafka_bootstrap, settings.topic, settings.aggregator_kafka_timeout)
    config = uvicorn.Config(
        create_app(settings, InfluxStore(settings, now), end_offsets, now),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.aggregator_drain_timeout.total_seconds()),
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight. Exit code 0, 2 for unusable settings."""
    # The server finishes cleanly on a signal, then raises it again: this turns it into a clean exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = AggregatorSettings()
    except ValidationError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201 - there is no log yet, its level is a setting
        sys.exit(2)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # A look for cycles among all modules held every request for 55 ms, on a busy machine for 480.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


if __name__ == "__main__":
    main()
