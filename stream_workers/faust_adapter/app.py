"""Faust's app and transport, with our consumer and our mailbox in them.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from stream_workers.faust_adapter.bounded_queue import BoundedQueue
from stream_workers.faust_adapter.consumer import Consumer
from stream_workers.faust_adapter.ports import Ports


class Transport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's transport, with our consumer."""

    Consumer = Consumer

    def __init__(self, *args: Any, ports: Ports, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.ports = ports


class App(faust.App):  # type: ignore[misc] # Faust is untyped here
    """Faust's app, with our transport."""

    def __init__(self, *args: Any, ports: Ports, buffered_bytes: int, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self._ports = ports
        self._buffered_bytes = buffered_bytes
        self._queues: list[BoundedQueue] = []

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
        return Transport(self.conf.broker_consumer, self, ports=self._ports)

    def _create_directories(self) -> None:
        """Makes none: they are for tables, which we have none of, and a container's file system may be read-only."""
