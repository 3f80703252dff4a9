"""The Faust agent: hands its queue to the writer."""

from typing import Any

from contract.record import record_of
from stream_workers.received import Received
from stream_workers.writer import Writer


class FaustMailbox:
    """The agent's queue, read directly: Faust acknowledges and commits nothing, and hides no buffer from a drain."""

    def __init__(self, queue: Any) -> None:  # noqa: ANN401 - Faust's queue is untyped
        self._queue = queue

    def empty(self) -> bool:
        return bool(self._queue.empty())

    def get_nowait(self) -> Received:
        return received_from(self._queue.get_nowait())

    async def get(self) -> Received:
        return received_from(await self._queue.get())


def received_from(event: Any) -> Received:  # noqa: ANN401 - Faust's event is untyped
    """The record in a Faust event."""
    message = event.message
    record = record_of(
        message.partition, message.offset, round(message.timestamp * 1000), message.value, message.headers
    )
    return Received(message.generation_id, record)


async def count_actions(stream: Any, writer: Writer) -> None:  # noqa: ANN401 - Faust's stream is untyped
    """The agent's body."""
    await writer.run(FaustMailbox(stream.channel.queue))
