"""Passing records on from Faust: each once and in order, and none any more while the worker drains.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults

from kafka_log.topic import LogTopic
from stream_workers.faust_adapter.committed_reads import CommittedReadsThread
from stream_workers.faust_adapter.offset_gate import OffsetGate, Verdict

logger = logging.getLogger(__name__)


class OrderedConsumer(driver.Consumer):  # type: ignore[misc] # Faust is untyped here
    """Faust's consumer, but it passes what the gate lets pass, without detours, and can be drained."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.gate: OffsetGate = self.transport.ports.gate
        self.topic: LogTopic = self.transport.ports.topic
        self.draining = False

    def _new_consumer_thread(self) -> CommittedReadsThread:
        return CommittedReadsThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's signature
        """What Faust fetched, as far as the gate lets it pass."""
        sought: set[int] = set()
        async for tp, message in super().getmany(timeout):
            if tp.partition in sought:
                continue
            verdict = self.gate.admit(tp.partition, message.offset)
            if verdict is Verdict.SEEK and self._thread.holes.is_hole(
                tp.partition, self.gate.expected(tp.partition), message.offset
            ):
                # As if it had been fetched once more, and still were there.
                verdict = self.gate.admit(tp.partition, message.offset)
            if verdict is Verdict.PASS:
                yield tp, message
            elif verdict is Verdict.SEEK:
                sought.add(tp.partition)
                expected = self.gate.expected(tp.partition)
                logger.info(
                    "partition %d: %d where %d was expected",
                    tp.partition,
                    message.offset,
                    expected,
                    extra={"partition": tp.partition, "offset": message.offset},
                )
                await self._thread.seek_wait({tp: expected})

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - Faust's signature
        """The next fetch. None is under way: what was handed out by now went through the gate, or to nobody."""
        await self._seek_what_reached_nobody()
        return await super()._getmany(active_partitions, timeout)

    async def _seek_what_reached_nobody(self) -> None:
        """Faust drops what a fetch brings while the flow is stopped, and that may end later than the seek after it.

        Where nothing follows, the gate would never see the hole, and these records would wait for the next one.
        """
        handed_out_before = self._thread.holes.handed_out_before
        lost = {
            TP(self.topic.name, partition): expected
            for partition, expected in self.gate.open_partitions().items()
            if (handed_out_before(partition) or 0) > expected
        }
        if lost:
            logger.info("fetching again what reached nobody: %s", {tp.partition: at for tp, at in lost.items()})
            await self._thread.seek_wait(lost)

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

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: the mailbox' own bound holds the fetch back. Faust's way would sleep for a second."""

    def resume_flow(self) -> None:
        """While draining nothing new is fetched, not after a rebalance either."""
        if not self.draining:
            super().resume_flow()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """While draining nothing new is fetched."""
        if not self.draining:
            super().resume_partitions(tps)

    def drain(self) -> None:
        """Stops fetching for good; what was received stays in the mailbox."""
        self.draining = True
        self.stop_flow()
