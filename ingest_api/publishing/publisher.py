"""The seam between HTTP and the log."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from contract.action import Action
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable

OnDelivered = Callable[[PublishUnavailable | None], None]
"""What is called once an outcome is known: None if the log has acknowledged. It raises nothing."""


class Publisher(Protocol):
    """Puts actions into the log. Used between `start` and `close`, from one event loop."""

    async def start(self) -> None:
        """Begins to reach for the log, and does not wait for it."""

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        """Calls `on_delivered` once all are acknowledged, or are not: in bounded time, perhaps before it returns.

        It is called on the event loop, once. Raises NotPublished instead where that is known at once.
        """

    async def unavailable_reason(self) -> str | None:
        """Why actions cannot be published now, as seen at most a second ago; None if they can."""

    async def close(self) -> None:
        """Returns once everything taken is acknowledged or given up."""


async def publish(publisher: Publisher, actions: Sequence[Action]) -> None:
    """Returns once the log has acknowledged all of them.

    Raises NotPublished or OutcomeUnknown, in bounded time. To be cancelled takes nothing back.
    """
    outcome: asyncio.Future[PublishUnavailable | None] = asyncio.get_running_loop().create_future()

    def on_delivered(failure: PublishUnavailable | None) -> None:
        if not outcome.done():
            outcome.set_result(failure)

    publisher.submit(actions, on_delivered)
    _raise_own(await outcome)


def _raise_own(failure: PublishUnavailable | None) -> None:
    """Raises an error of the caller's own.

    One that many raise, or that a frame holds which it holds, would keep their actions in memory until the next search
    for cycles.
    """
    if failure is not None:
        raise (NotPublished if isinstance(failure, NotPublished) else OutcomeUnknown)(str(failure))
