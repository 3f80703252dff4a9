"""Faust's app and transport, with our consumer and our mailbox in them.

Private names of Faust are used in a few files only: tests/unit/test_faust_names.py lists each.
"""

from collections.abc import Mapping
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from kafka_log.topic import LogTopic
from stream_workers.faust_adapter.bounded_queue import BoundedQueue
from stream_workers.faust_adapter.consumer import Consumer
from stream_workers.faust_adapter.ports import PartitionOwner


class Transport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's transport, with our consumer."""

    Consumer = Consumer

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to Faust as they are
        owner: PartitionOwner,
        topic: LogTopic,
        release_timeout: float,
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.topic = topic
        self.release_timeout = release_timeout


class App(faust.App):  # type: ignore[misc] # Faust is untyped here
    """Faust's app, with our transport."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to Faust as they are
        owner: PartitionOwner,
        topic: LogTopic,
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
