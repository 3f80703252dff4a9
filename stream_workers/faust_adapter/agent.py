"""The Faust agent: hands its queue to the writer."""

from collections.abc import Callable
from typing import Any

from mode import CrashingSupervisor

from contract.log.record import record_of
from stream_workers.counting.mailbox import Received
from stream_workers.counting.writer import Writer
from stream_workers.faust_adapter.app import App

Receive = Callable[[Any], Received]
"""Takes the record out of a Faust event, which is untyped."""


class AgentMailbox:
    """The agent's queue, read directly: Faust acknowledges and commits nothing, and hides no buffer from a drain."""

    def __init__(self, queue: Any, receive: Receive) -> None:  # noqa: ANN401 - Faust's queue is untyped
        self._queue = queue
        self._receive = receive

    def empty(self) -> bool:
        return bool(self._queue.empty())

    def get_nowait(self) -> Received:
        return self._receive(self._queue.get_nowait())

    async def get(self) -> Received:
        return self._receive(await self._queue.get())


def received_from(event: Any) -> Received:  # noqa: ANN401 - Faust's event is untyped
    """The record in a Faust event."""
    message = event.message
    record = record_of(
        message.partition, message.offset, round(message.timestamp * 1000), message.value, message.headers
    )
    return Received(message.generation_id, record)


def add_agent(app: App, topic: str, writer: Writer, receive: Receive = received_from) -> None:
    """Makes the app read `topic` with one agent, which hands its queue to the writer."""
    source = app.topic(
        topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False
    )

    @app.agent(source, name="actions", concurrency=1, supervisor_strategy=CrashingSupervisor)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def actions(stream: Any) -> None:  # noqa: ANN401 - Faust's stream is untyped
        await writer.run(AgentMailbox(stream.channel.queue, receive))
