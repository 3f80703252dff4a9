"""Faust's app and transport, with our consumer and our mailbox in them.

Private names of Faust are used in a few files only: tests/unit/stream_workers/faust_adapter/test_private_names.py lists
each.
"""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.web.drivers import aiohttp as web_driver

from service.connections.guard import Guard
from service.connections.limits import raise_descriptor_limit
from stream_workers import metrics
from stream_workers.faust_adapter.bounded_queue import BoundedQueue
from stream_workers.faust_adapter.consumer import Consumer
from stream_workers.faust_adapter.ports import Ports
from stream_workers.pages.connections import LIMITS, BoundedListener


class Transport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's transport, with our consumer."""

    Consumer = Consumer

    def __init__(self, *args: Any, ports: Ports, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to Faust as they are
        super().__init__(*args, **kwargs)
        self.ports = ports


class Web(web_driver.Web):  # type: ignore[misc] # Faust is untyped here
    """Faust's web server, but its connections have bounds."""

    _listener: BoundedListener | None = None

    async def start_server(self) -> None:
        """As Faust's own; but its site would take any number."""
        limits = LIMITS.within(raise_descriptor_limit())
        await self._runner.setup()
        self._listener = BoundedListener(Guard(limits, metrics=metrics.CONNECTIONS))
        await self._listener.start(self._runner.server, self.app.conf.web_bind, self.app.conf.web_port)

    async def stop_server(self) -> None:
        """Lets nobody in any more, then does as Faust's own."""
        if self._listener is not None:
            await self._listener.stop()
        await super().stop_server()


class WithoutProducer(faust.App.BootStrategy):  # type: ignore[misc] # Faust is untyped here
    """What Faust starts, but for its producer: nothing uses it, and it waits 20 minutes for a broker that is gone."""

    enable_kafka_producer = False


class App(faust.App):  # type: ignore[misc] # Faust is untyped here
    """Faust's app, with our transport."""

    BootStrategy = WithoutProducer

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

    def _new_web(self) -> Web:
        return Web(self)

    def _create_directories(self) -> None:
        """Makes none: they are for tables, which we have none of, and a container's file system may be read-only."""
