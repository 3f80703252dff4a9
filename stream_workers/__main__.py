"""`python -m stream_workers`: one worker of the pool."""

import asyncio
import gc
import logging
import sys
import time
from typing import Final

from pydantic import ValidationError

from contract.errors import CollectorError
from stores.influx.store import InfluxStore
from stream_workers.app import build_app
from stream_workers.faust_adapter.worker import DrainingWorker
from stream_workers.settings import WorkerSettings

logger = logging.getLogger("stream_workers")

_GARBAGE: Final = 50_000
"""So many more objects than before are alive when cycles among them are looked for."""


def main() -> None:
    """Runs until stopped: exit code 0 drained, 75 not drained, 1 crashed, 2 unusable settings."""
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201 - there is no log yet, its level is a setting
        sys.exit(2)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if settings.log_level != "DEBUG":
        for library in ("faust", "mode", "aiokafka"):
            logging.getLogger(library).setLevel(logging.WARNING)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    store = loop.run_until_complete(_open(settings))
    wired = build_app(settings, store)
    try:
        loop.run_until_complete(wired.topic.require_append_time())
    except CollectorError as error:
        logger.error("cannot start: %s", error)  # noqa: TRY400 - the text says all, a traceback would hide it
        sys.exit(1)
    # A look for cycles among all modules held folding and flushing for 50 ms, on a busy machine for 250.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    worker = DrainingWorker(
        wired.app,
        writer=wired.writer,
        drain_timeout=settings.worker_drain_timeout.total_seconds(),
        override_logging=False,
        loop=loop,
    )
    worker.spinner = None  # it would draw on standard output, into the log
    worker.execute_from_commandline()


async def _open(settings: WorkerSettings) -> InfluxStore:
    return InfluxStore(settings, clock=lambda: time.time_ns() // 1_000_000)


if __name__ == "__main__":
    main()
