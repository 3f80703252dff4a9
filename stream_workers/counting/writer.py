"""The actor: folds what its mailbox holds, flushes, and says when it is done."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import NamedTuple

from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.counting.empty_tails import EmptyTails
from stream_workers.counting.flush_cycle import FlushCycle
from stream_workers.counting.folding import Folding
from stream_workers.counting.mailbox import Mailbox, Received, received_by_now
from stream_workers.retry import Abandoned

logger = logging.getLogger(__name__)


class FlushLimits(NamedTuple):
    """What begins a flush: seconds since the last one began, lines, or windows with new lines."""

    interval: float
    lines: int
    windows: int


class Writer:
    """Counts the partitions of an assignment. All of it runs on one event loop.

    Two coroutines share the work: one folds records as they come, one flushes; a flush that is in flight does not stop
    the folding until twice as many lines wait as begin one, or windows. A third looks after partitions on which nothing
    comes any more.
    """

    def __init__(
        self,
        assignment: Assignment,
        folding: Folding,
        flush_cycle: FlushCycle,
        empty_tails: EmptyTails,
        limits: FlushLimits,
    ) -> None:
        self._assignment = assignment
        self._folding = folding
        self._flush_cycle = flush_cycle
        self._empty_tails = empty_tails
        self._limits = limits
        self._mailbox: Mailbox | None = None
        self._is_folding = False
        self._is_flushing = False
        self._flush_soon = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def idle(self) -> bool:
        """Whether the mailbox is empty, and all that came out of it is stored and its offsets were committed."""
        busy = self._is_folding or self._is_flushing or not (self._mailbox is None or self._mailbox.empty())
        return not busy and self._assignment.settled

    @property
    def partitions(self) -> list[int]:
        """The partitions that are being counted."""
        return sorted(self._assignment.states)

    @property
    def unflushed_lines(self) -> int:
        """Lines that were folded, and that no flush has taken yet."""
        return self._assignment.unflushed_lines

    async def release(self, timeout: float) -> None:  # noqa: ASYNC109 - bounds a wait, not a computation
        """Implements Release: flushes what was folded, for at most `timeout` seconds, then forgets all partitions."""
        try:
            with metrics.RELEASE_SECONDS.time():
                await asyncio.wait_for(self.settle(), timeout)
        except TimeoutError:
            logger.warning("released partitions before their flush was done; their next owner counts them again")
        self._assignment.forget()

    async def settle(self) -> None:
        """Returns once the mailbox is empty, and all that came out of it is stored and committed."""
        while not self.idle:
            self._settled.clear()
            if not self._is_folding and self._assignment.may_flush:
                self._flush_soon.set()
            await self._settled.wait()

    async def run(self, mailbox: Mailbox) -> None:
        """Works until the mailbox ends; raises what must stop the worker."""
        self._mailbox = mailbox
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(work) for work in (self._flush_loop(), self._empty_tails.run())]
            await self._fold_loop(mailbox)
            for task in beside:
                task.cancel()

    async def _fold_loop(self, mailbox: Mailbox) -> None:
        ended = False
        while not ended:
            batch, ended = await received_by_now(mailbox)
            self._is_folding = True
            try:
                while batch:
                    prepared = await self._folding.prefetch(batch)
                    await self._fold(batch[:prepared])
                    batch = batch[prepared:]
            finally:
                self._is_folding = False
                self._settled.set()

    async def _fold(self, records: Sequence[Received]) -> None:
        for received in records:
            if not self._folding.fold_at_once(received):
                await self._folding.fold(received)
            if self.unflushed_lines >= self._limits.lines:
                await self._make_room()
        # A record cannot touch more windows than are prepared at once: after each would be too often to ask.
        if self._assignment.unflushed_windows >= self._limits.windows:
            await self._make_room()

    async def _make_room(self) -> None:
        self._flush_soon.set()
        while self._too_full():
            self._settled.clear()
            await self._settled.wait()

    def _too_full(self) -> bool:
        can_shrink = self._is_flushing or self._assignment.may_flush
        return can_shrink and (
            self.unflushed_lines >= 2 * self._limits.lines
            or self._assignment.unflushed_windows >= 2 * self._limits.windows
        )

    async def _flush_loop(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            # Counted from when the last one began: what waits does not wait for an interval on top of a slow flush.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(began + self._limits.interval):
                    await self._flush_soon.wait()
            began = loop.time()
            self._flush_soon.clear()
            self._is_flushing = True
            try:
                await self._flush_cycle.run(on_taken=self._settled.set)
            except Abandoned as lost:
                logger.info("a flush was abandoned, its partitions were taken away: %s", lost)
            finally:
                self._is_flushing = False
                self._settled.set()
