"""Faust's thread with aiokafka's consumer: it reads committed.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

from typing import Any

import aiokafka
from faust.transport.drivers import aiokafka as driver


class CommittedReadsThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc] # Faust is untyped here
    """Faust's thread, but records of aborted transactions are not read, and of open ones not yet.

    Faust itself does so only for its own "exactly once", which writes to Kafka.
    """

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:  # noqa: ANN401 - as Faust declares it
        consumer = super()._create_worker_consumer(transport)
        # Its fetcher takes it over when it starts.
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - see the top of this file
        return consumer

    async def stable_ends(self, topic: str) -> dict[int, int]:
        """By partition, as of the last fetch: where the first open transaction begins, or the log ends.

        Call it in the thread: an assignment changes there.
        """
        consumer = self._ensure_consumer()
        assigned = [tp for tp in consumer.assignment() if tp.topic == topic]
        ends = {tp.partition: consumer.last_stable_offset(tp) for tp in assigned}
        return {partition: end for partition, end in ends.items() if end is not None}
