"""Whether Kafka answers a worker that has nothing to store: its consumer tells nobody that it is refused."""

import asyncio
from typing import Final, Protocol

from contract.errors import LogError

FRESH: Final = 5.0
"""Seconds for which an answer stands."""


class Asks(Protocol):
    """One question to Kafka."""

    async def log(self) -> str:
        """Raises LogError."""


class KafkaProbe:
    """Asks when it is asked, but nobody waits for it: who asks is told what the last answer was."""

    def __init__(self, topic: Asks) -> None:
        """Asks nothing yet."""
        self._topic = topic
        self._asking: asyncio.Task[None] | None = None
        self._answered = float("-inf")
        self._reason: str | None = None

    def reason(self) -> str | None:
        """Why Kafka last did not answer; None if it did, or was not asked yet. Call it on the event loop."""
        loop = asyncio.get_running_loop()
        if (self._asking is None or self._asking.done()) and loop.time() - self._answered >= FRESH:
            self._asking = loop.create_task(self._ask())
        return self._reason

    async def _ask(self) -> None:
        try:
            await self._topic.log()
        except LogError as error:
            self._reason = str(error)
        else:
            self._reason = None
        self._answered = asyncio.get_running_loop().time()
