"""The seam between the door and the log."""

from collections.abc import Sequence
from typing import Protocol

from contract.action import Action


class Publisher(Protocol):
    """Puts actions into the log. Used between `start` and `close`, from one event loop."""

    async def start(self) -> None:
        """Begins to reach for the log, and does not wait for it."""

    async def publish(self, actions: Sequence[Action]) -> None:
        """Returns once the log has acknowledged all of them.

        Raises NotPublished or OutcomeUnknown, in bounded time. To be cancelled takes nothing back.
        """

    async def trouble(self) -> str | None:
        """Why actions cannot be published now, as seen at most a second ago; None if they can."""

    async def close(self) -> None:
        """Returns once everything taken is acknowledged or given up."""
