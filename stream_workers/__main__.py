"""`python -m stream_workers`: one worker of the pool."""

import asyncio
import logging
import sys

from contract.errors import CollectorError
from kafka_log.repeated_lines import RepeatedLines
from service.clock import wall_clock
from service.connections.limits import raise_descriptor_limit
from service.keys.errors import KeysUnreadable
from service.process import configure_logging, say_who_may, spare_garbage_collection
from service.settings import EXIT_UNUSABLE_SETTINGS, settings_or_exit
from service.traces.opening import open_traces
from stores.opening import open_store
from stream_workers.app import build_app
from stream_workers.faust_adapter.worker import DrainingWorker
from stream_workers.pages.middlewares import MalformedRequests
from stream_workers.settings import WorkerSettings
from stream_workers.traces.wiring import WorkerTraces

logger = logging.getLogger("stream_workers")


def main() -> None:
    """Runs until stopped: exit code 0 drained, 75 not drained, 1 crashed, 2 unusable settings."""
    settings = settings_or_exit(WorkerSettings)
    configure_logging(settings)
    raise_descriptor_limit()
    say_who_may(settings)
    if settings.log_level != "DEBUG":
        for library in ("faust", "mode", "aiokafka"):
            logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(MalformedRequests())
    for handler in logging.getLogger().handlers:
        # While a broker is away, or refuses, aiokafka writes tens of lines a second.
        handler.addFilter(RepeatedLines("aiokafka"))
        # A line for each request of a stranger, or for each turn without a descriptor left, would fill the disk.
        handler.addFilter(RepeatedLines("aiohttp.server"))
        handler.addFilter(RepeatedLines("service.connections.guard"))
        handler.addFilter(RepeatedLines("asyncio"))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    process = open_traces(settings, "stream-worker")
    traces = WorkerTraces.of(settings, process) if process else None
    try:
        wired = build_app(settings, open_store(settings, wall_clock, settings.ingest_events), traces)
        loop.run_until_complete(wired.topic.require_append_time())
    except KeysUnreadable as error:
        logger.error("cannot start: %s", error)  # noqa: TRY400 - the text says all, a traceback would hide it
        sys.exit(EXIT_UNUSABLE_SETTINGS)
    except CollectorError as error:
        logger.error("cannot start: %s", error)  # noqa: TRY400 - the text says all, a traceback would hide it
        sys.exit(1)
    spare_garbage_collection()
    worker = DrainingWorker(
        wired.app,
        writer=wired.writer,
        drain_timeout=settings.worker_drain_timeout.total_seconds(),
        override_logging=False,
        loop=loop,
    )
    worker.spinner = None  # it would draw on standard output, into the log
    try:
        worker.execute_from_commandline()
    finally:
        if process:
            process.close()


if __name__ == "__main__":
    main()
