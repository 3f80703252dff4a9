"""The seam between HTTP and the log."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from contract.log.action import Action
from contract.log.position import Position
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable

Outcome = PublishUnavailable | Position | None
"""Where the log has what it acknowledged, None if it did not say where; or why it has not acknowledged."""
OnDelivered = Callable[[Outcome], None]
"""What is called once an outcome is known. It raises nothing."""


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


async def publish(publisher: Publisher, actions: Sequence[Action]) -> Position | None:
    """Returns once the log has acknowledged all of them: where it has them, or None if it did not say.

    Raises NotPublished or OutcomeUnknown, in bounded time. To be cancelled takes nothing back.
    """
    delivered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def on_delivered(outcome: Outcome) -> None:
        if not delivered.done():
            delivered.set_result(outcome)

    publisher.submit(actions, on_delivered)
    return _position_or_own_error(await delivered)


def _position_or_own_error(outcome: Outcome) -> Position | None:
    """Raises an error of the caller's own.

    One that many raise, or that a frame holds which it holds, would keep their actions in memory until the next search
    for cycles.
    """
    if isinstance(outcome, PublishUnavailable):
        raise (NotPublished if isinstance(outcome, NotPublished) else OutcomeUnknown)(str(outcome))
    return outcome
