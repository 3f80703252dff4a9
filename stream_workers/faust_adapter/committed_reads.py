"""Faust's thread with aiokafka's consumer: it reads committed, and gives up a broker that does not answer.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

from collections.abc import Mapping
from typing import Any, Final

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_workers.faust_adapter.fetched_holes import FetchedHoles

ANSWERED_AFTER_REBALANCE: Final = 5.0
"""Seconds. A request to join a group is answered at the end of a rebalance; one that takes so much longer, never."""


class CommittedReadsThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc] # Faust is untyped here
    """Faust's thread, but records of aborted transactions are not read, and of open ones not yet.

    Faust itself does so only for its own "exactly once", which writes to Kafka.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.holes = FetchedHoles()
        """Changed in the thread; a hole that was true once stays so."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:  # noqa: ANN401 - as Faust declares it
        consumer = super()._create_worker_consumer(transport)
        # Its fetcher takes it over when it starts.
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - see the top of this file
        # A broker whose machine is gone closes no connection; what it does not answer is asked of another one. Faust's
        # setting, 90 s, also bounds a whole recovery, of several such requests: it stays longer.
        within = self.app.conf.broker_rebalance_timeout + ANSWERED_AFTER_REBALANCE
        consumer._client._request_timeout_ms = round(within * 1000)  # noqa: SLF001 - as above
        return consumer

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> dict[Any, list[Any]]:
        found: dict[Any, list[Any]] = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        for tp, records in found.items():
            position = consumer._subscription.subscription.assignment.state_value(tp)  # noqa: SLF001 - as above
            self.holes.fetched(tp.partition, position, (record.offset for record in records))
        return found

    async def _seek_wait(self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        # Before, in one go with it: a fetch that ends while it waits hands out what comes from the new place.
        for tp in partitions:
            self.holes.sought(tp.partition)
        await super()._seek_wait(consumer, partitions)

    async def stable_ends(self, topic: str) -> dict[int, int]:
        """By partition, as of the last fetch: where the first open transaction begins, or the log ends.

        Call it in the thread: an assignment changes there.
        """
        consumer = self._ensure_consumer()
        assigned = [tp for tp in consumer.assignment() if tp.topic == topic]
        ends = {tp.partition: consumer.last_stable_offset(tp) for tp in assigned}
        return {partition: end for partition, end in ends.items() if end is not None}
