"""Stopping is finishing the mailbox: on SIGTERM everything received is stored and committed before the process exits.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

import logging
import os
import threading
import time
from typing import Any, Final

from faust import Worker

from stream_workers import metrics
from stream_workers.counting.writer import Writer
from stream_workers.faust_adapter.consumer import Consumer

logger = logging.getLogger(__name__)

EXIT_NOT_DRAINED: Final = 75
"""EX_TEMPFAIL: the worker had to stop before all was stored; the next owner counts it again."""


class DrainingWorker(Worker):  # type: ignore[misc] # Faust is untyped here
    """Faust's worker, but it finishes the mailbox before the app stops, within `drain_timeout` seconds."""

    def __init__(self, *args: Any, writer: Writer, drain_timeout: float, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self._writer = writer
        self._drain_timeout = drain_timeout
        self._drained = threading.Event()

    async def on_stop(self) -> None:
        """Runs before the app is stopped, so that rebalances still work."""
        began = time.monotonic()
        metrics.DRAIN_SECONDS.set_function(lambda: time.monotonic() - began)
        threading.Thread(target=self._watch, name="drain-deadline", daemon=True).start()
        consumer = self.app._consumer  # noqa: SLF001 - see the top of this file
        if isinstance(consumer, Consumer) and not self.crashed:
            logger.info("draining: %d partitions", len(self._writer.partitions))
            consumer.drain()
            await self._writer.settle()
            logger.info("drained: all that was received is stored")
        self._drained.set()
        await super().on_stop()

    def _watch(self) -> None:
        """Leaves at the deadline, whatever hangs: a thread of its own, for the event loop may be what hangs."""
        deadline = threading.Event()
        deadline.wait(self._drain_timeout)
        code = 0 if self._drained.is_set() and not self.crashed else EXIT_NOT_DRAINED
        logger.error("stopping took longer than %.0f s: leaving with exit code %d", self._drain_timeout, code)
        os._exit(code)
