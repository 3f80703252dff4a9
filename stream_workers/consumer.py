"""Where to read from: the store says, not Kafka's committed offset.

This file, mailbox.py and supervisor.py are the only ones that touch Faust's private names;
tests/unit/test_faust_names.py has a list of them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final, Protocol

import faust
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.tables.recovery import RebalanceAgain
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults

from contract.errors import LogError, LogUnavailable
from contract.progress import LogPartition
from stream_workers import metrics
from stream_workers.gate import Gate, Verdict
from stream_workers.mailbox import BoundedQueue
from stream_workers.retry import Abandoned
from stream_workers.topic import ActionsTopic

logger = logging.getLogger(__name__)

SEEK_WITHIN: Final = 5.0
"""Seconds. Faust gives up on a worker whose seek takes longer than its request timeout, and it never reads again."""


class Owner(Protocol):
    """Who counts the partitions."""

    async def take(self, source: LogPartition, beginning: int, end: int, generation: int) -> int:
        """Takes over a partition; returns where to read from. Raises Abandoned if it was taken away meanwhile."""

    def next_offset(self, partition: int) -> int:
        """The offset that follows on what is stored of a partition that was taken."""

    def seal(self) -> None:
        """Takes nothing more from the mailbox: Faust is about to clear it."""

    async def release(self, timeout: float) -> None:  # noqa: ASYNC109 - bounds a wait, not a computation
        """Finishes what was folded, for at most `timeout` seconds, and forgets all partitions."""


class Consumer(driver.Consumer):  # type: ignore[misc] # Faust is untyped here
    """Faust's consumer, but it starts where the store's progress says, and passes each record once and in order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.owner: Owner = self.transport.owner
        self.topic: ActionsTopic = self.transport.topic
        self.release_timeout: float = self.transport.release_timeout
        self.draining = False
        self.joined = False
        """Whether the worker counts all that it was assigned."""
        self._log: str | None = None
        self._gate = Gate()
        self._fresh = False
        self._taking: asyncio.Task[None] | None = None

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust seeks next, once its own recovery is done."""
        self._fresh = True
        self.joined = not assigned
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
        self._gate.shut_all()
        self._fresh = False
        self.joined = False
        # Faust clears the mailbox, but a record that is just being put there survives, and would follow on a gap.
        self.owner.seal()
        if self._taking is not None:
            self._taking.cancel()
        await super().on_partitions_revoked(revoked)
        await self.owner.release(self.release_timeout)

    async def perform_seek(self) -> None:
        """Takes over a fresh assignment. While nothing is fresh, a seek would lose what was delivered.

        Where the store does not answer in time, nothing is read until it does.
        """
        assigned = {tp for tp in self.assignment() if tp.topic == self.topic.name}
        if not self._fresh or not assigned:
            return
        self._fresh = False
        self._taking = asyncio.create_task(self._take(assigned, self.app.consumer_generation_id))
        done, _ = await asyncio.wait({self._taking}, timeout=SEEK_WITHIN)
        if self._taking.cancelled():
            # A seek that ends as cancelled ends Faust's recovery for good: this worker would never read again.
            raise RebalanceAgain
        if done:
            self._taking.result()
            return
        logger.warning("the store does not answer: nothing is read until it does")
        self._taking.add_done_callback(self._on_taken_late)
        waiting = [tp for tp in assigned if not self._gate.is_open(tp.partition)]
        await self._thread.seek_wait(await self.highwaters(*waiting))

    def _on_taken_late(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashing = asyncio.create_task(self.crash(error))

    async def _take(self, assigned: set[TP], generation: int) -> None:
        log = await self._recognise_log()
        beginnings = await self.earliest_offsets(*assigned)
        ends = await self.highwaters(*assigned)

        async def take(tp: TP) -> tuple[TP, int]:
            source = LogPartition(log, tp.partition)
            return tp, await self.owner.take(source, beginnings[tp], ends[tp], generation)

        try:
            starts = dict(await asyncio.gather(*map(take, assigned)))
        except Abandoned as lost:
            logger.info("gave up taking partitions over: %s", lost)
            return
        await self._thread.seek_wait(starts)
        for tp, offset in starts.items():
            self._gate.open(tp.partition, offset)
        self.joined = True
        # Lag tools read Kafka's commits: without this they show the old ones until the first flush.
        # It may begin one record before what is to come, to recognise the log: that one is no lag.
        await self.commit_offsets({tp.partition: self.owner.next_offset(tp.partition) for tp in starts})
        logger.info("counting %s", {tp.partition: offset for tp, offset in sorted(starts.items())})

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's signature
        """What Faust fetched, as far as the gate lets it pass."""
        try:
            async for tp, message in self._passed(timeout):
                yield tp, message
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            if self.joined:
                raise
            # At an assignment aiokafka looks for a commit to go on from, before we seek.
            logger.info("before the seek: %r", error)

    async def _passed(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - as above
        sought: set[int] = set()
        async for tp, message in super().getmany(timeout):
            if tp.partition in sought:
                continue
            verdict = self._gate.judge(tp.partition, message.offset)
            if verdict is Verdict.PASS:
                yield tp, message
            elif verdict is Verdict.SEEK:
                sought.add(tp.partition)
                expected = self._gate.expected(tp.partition)
                logger.info("partition %d: %d where %d was expected", tp.partition, message.offset, expected)
                await self._thread.seek_wait({tp: expected})

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commits each partition's next offset. A refusal is told and forgotten: the store's progress counts."""
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

    async def wait_first(self, *coros: Any, timeout: float | None = None) -> Any:  # noqa: ANN401, ASYNC109 - Faust's signature
        """Faust hands each record to the mailbox through here, beside a wait for the flow to be suspended.

        That takes four tasks a record, a third of all that a record of one line costs. Where the mailbox has room and
        nothing is suspended, handing over waits for nothing, and needs none of them.
        """
        if len(coros) == 2 and self._may_hand_over():  # noqa: PLR2004 - the two of the summary
            handing_over, suspended = coros
            suspended.close()
            return WaitResults([handing_over], [await handing_over], stopped=False)
        return await super().wait_first(*coros, timeout=timeout)

    def _may_hand_over(self) -> bool:
        return self.app.has_room and not self.suspend_flow.is_set() and not self.should_stop

    def is_hole(self, partition: int, first: int, end: int) -> bool:
        """Whether the log has no records from `first` up to, not including, `end`."""
        return self._gate.is_hole(partition, first, end)

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: the mailbox' own bound holds the fetch back. Faust's way would sleep for a second."""

    def resume_flow(self) -> None:
        """While draining nothing new is fetched, not after a rebalance either."""
        if not self.draining:
            super().resume_flow()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Likewise."""
        if not self.draining:
            super().resume_partitions(tps)

    def drain(self) -> None:
        """Stops fetching for good; what was received stays in the mailbox."""
        self.draining = True
        self.stop_flow()


class Transport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's transport, with our consumer."""

    Consumer = Consumer

    def __init__(self, *args: Any, owner: Owner, topic: ActionsTopic, release_timeout: float, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.topic = topic
        self.release_timeout = release_timeout


class App(faust.App):  # type: ignore[misc] # Faust is untyped here
    """Faust's app, with our transport."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to Faust as they are
        owner: Owner,
        topic: ActionsTopic,
        release_timeout: float,
        buffered_bytes: int,
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> None:
        super().__init__(*args, **kwargs)
        self._buffered_bytes = buffered_bytes
        self._queues: list[BoundedQueue] = []
        self._owner = owner
        self._topic = topic
        self._release_timeout = release_timeout

    @property
    def joined(self) -> bool:
        """Whether the worker is in the group and counts all that it was assigned."""
        return isinstance(self._consumer, Consumer) and self._consumer.joined

    def FlowControlQueue(self, maxsize: int | None = None, *, clear_on_resume: bool = False) -> BoundedQueue:  # noqa: N802 - Faust's name
        """The agent's queue."""
        queue = BoundedQueue(
            maxsize=maxsize,
            max_bytes=self._buffered_bytes,
            flow_control=self.flow_control,
            clear_on_resume=clear_on_resume,
        )
        self._queues.append(queue)
        return queue

    @property
    def has_room(self) -> bool:
        """Whether records may be put into the mailbox now, without waiting."""
        return self.flow_control.is_active() and not any(queue.full() for queue in self._queues)

    def _new_transport(self) -> Transport:
        return Transport(
            self.conf.broker_consumer,
            self,
            owner=self._owner,
            topic=self._topic,
            release_timeout=self._release_timeout,
        )

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commits each partition's next offset, as the consumer does."""
        await self.consumer.commit_offsets(offsets)

    def is_hole(self, partition: int, first: int, end: int) -> bool:
        """Whether the log has no records there, as the consumer saw."""
        return bool(self.consumer.is_hole(partition, first, end))
