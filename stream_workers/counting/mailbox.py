"""What comes out of the mailbox."""

from typing import NamedTuple, Protocol

from contract.log.record import Record


class Received(NamedTuple):
    """A record, and the consumer group's generation in which it was fetched."""

    generation: int
    record: Record


class Mailbox(Protocol):
    """What was received and not folded yet; asyncio.Queue fits. `get` raises StopAsyncIteration at its end."""

    def empty(self) -> bool: ...
    def get_nowait(self) -> Received: ...
    async def get(self) -> Received: ...


async def received_by_now(mailbox: Mailbox) -> tuple[list[Received], bool]:
    """Waits for a record, and takes all that are there with it; and whether the mailbox ended."""
    batch: list[Received] = []
    try:
        batch.append(mailbox.get_nowait() if not mailbox.empty() else await mailbox.get())
        while not mailbox.empty():
            batch.append(mailbox.get_nowait())
    except StopAsyncIteration:
        return batch, True
    return batch, False
