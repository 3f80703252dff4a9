"""Where to read from: the store says, not Kafka's committed offset.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.tables.recovery import RebalanceAgain
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from contract.errors import LogError, LogUnavailable
from contract.log.progress import LogPartition
from stream_workers import metrics
from stream_workers.faust_adapter.ordered_consumer import OrderedConsumer
from stream_workers.faust_adapter.ports import Acquired, Ports
from stream_workers.retry import Abandoned

logger = logging.getLogger(__name__)

SEEK_WITHIN: Final = 5.0
"""Seconds. Faust gives up on a worker whose seek takes longer than its request timeout, and it never reads again."""


class Consumer(OrderedConsumer):
    """Starts where the store's progress says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        ports: Ports = self.transport.ports
        self.owner = ports.owner
        self._release, self._release_timeout = ports.release, ports.release_timeout
        self.joined = False
        """Whether the worker counts all that it was assigned."""
        self._log: str | None = None
        self._fresh = False
        self._acquiring: asyncio.Task[None] | None = None
        self._seeking = asyncio.Lock()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust seeks next, once its own recovery is done."""
        self._fresh = True
        self.joined = not assigned
        metrics.REBALANCES.inc()
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned:
            await self._require_topic()

    async def _require_topic(self) -> None:
        """Nothing is assigned where others have all, but also where the topic is gone: then its return goes unseen."""
        try:
            await self._recognise_log()
        except LogUnavailable as error:
            logger.warning("%s", error)
        except LogError as error:
            await self.crash(error)

    async def _recognise_log(self) -> str:
        """The topic's id. Raises LogReplaced unless it is the one that this worker saw first."""
        if self._log is None:
            self._log = await self.topic.log()
        else:
            await self.topic.verify(self._log)
        return self._log

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust stops the flow and clears the mailbox; what was folded is flushed, then all is forgotten."""
        self.gate.shut_all()
        self._fresh = False
        self.joined = False
        # Faust clears the mailbox, but a record that is just being put there survives, and would follow on a gap.
        self.owner.fence()
        if self._acquiring is not None:
            self._acquiring.cancel()
        await super().on_partitions_revoked(revoked)
        await self._release(self._release_timeout)

    async def perform_seek(self) -> None:
        """Acquires a fresh assignment. While nothing is fresh, a seek would lose what was delivered.

        Where the store does not answer in time, nothing is read until it does.
        """
        assigned = {tp for tp in self.assignment() if tp.topic == self.topic.name}
        if not self._fresh or not assigned:
            return
        self._fresh = False
        self._acquiring = asyncio.create_task(self._acquire(assigned, self.app.consumer_generation_id))
        done, _ = await asyncio.wait({self._acquiring}, timeout=SEEK_WITHIN)
        if self._acquiring.cancelled():
            # A seek that ends as cancelled ends Faust's recovery for good: this worker would never read again.
            raise RebalanceAgain
        if done:
            self._acquiring.result()
            return
        logger.warning("the store does not answer: nothing is read until it does")
        self._acquiring.add_done_callback(self._on_acquired_late)
        ends = await self.highwaters(*assigned)
        async with self._seeking:
            await self._thread.seek_wait({tp: end for tp, end in ends.items() if not self.gate.is_open(tp.partition)})

    def _on_acquired_late(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashing = asyncio.create_task(self.crash(error))

    async def _acquire(self, assigned: set[TP], generation: int) -> None:
        log = await self._recognise_log()
        beginnings = await self.earliest_offsets(*assigned)
        ends = await self.highwaters(*assigned)

        async def acquire(tp: TP) -> tuple[TP, Acquired]:
            source = LogPartition(log, tp.partition)
            return tp, await self.owner.acquire(source, beginnings[tp], ends[tp], generation)

        try:
            acquired = dict(await asyncio.gather(*map(acquire, assigned)))
        except Abandoned as lost:
            logger.info("gave up acquiring partitions: %s", lost)
            return
        async with self._seeking:
            await self._thread.seek_wait({tp: start.read_from for tp, start in acquired.items()})
            for tp, start in acquired.items():
                self.gate.open(tp.partition, start.read_from)
        self.joined = True
        # Lag tools read Kafka's commits: without this they show the old ones until the first flush.
        await self.commit_offsets({tp.partition: start.next_offset for tp, start in acquired.items()})
        logger.info("counting from %s", {tp.partition: start.read_from for tp, start in sorted(acquired.items())})

    async def stable_ends(self) -> dict[int, int]:
        """By partition: where the first open transaction begins, or the log ends; none for those not fetched yet."""
        if self.should_stop:
            return {}
        return dict(await self._thread.call_thread(self._thread.stable_ends, self.topic.name))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's signature
        """Kafka may have no commit to resume from: aiokafka asks for one at an assignment, before we seek."""
        try:
            async for tp, message in super().getmany(timeout):
                yield tp, message
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            if self.joined:
                raise
            logger.info("before the seek: %r", error)

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commits each partition's next offset. A refusal is logged, no more: the store's progress counts."""
        consumer = self._thread._ensure_consumer()  # noqa: SLF001 - see the top of this file
        mine = {
            driver.ensure_aiokafka_TP(TP(self.topic.name, partition)): driver.OffsetAndMetadata(offset, "")
            for partition, offset in offsets.items()
            if TP(self.topic.name, partition) in self.assignment()
        }
        try:
            if mine:
                await self._thread.call_thread(consumer.commit, mine)
        except KafkaError as error:
            metrics.COMMIT_FAILURES.inc()
            logger.warning("offsets were not committed, the next flush tries again: %r", error)
