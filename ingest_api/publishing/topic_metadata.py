"""What is known of the topic: whether Kafka answers, and how many partitions it has."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from contract.errors import LogError, LogUnfit

logger = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 1.0


class TopicMetadata:
    """Looks at the topic now and then, off the event loop, and never twice at a time."""

    def __init__(self, look: Callable[[], int], refresh: float) -> None:
        """`look` blocks for the partition count and raises LogError; it is called every `refresh` seconds."""
        self._look = look
        self._refresh = refresh
        self._running: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._seen = float("-inf")
        self._trouble: str | None = "Kafka was not reached yet"
        self.partitions: int | None = None
        """As last seen; None while the topic was never seen, or is gone."""

    def start(self) -> None:
        """Begins to look, on the running event loop."""
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Looks no more; returns once no thread of ours is left."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        if self._looking is not None:
            await self._looking

    async def _run(self) -> None:
        while True:
            await self._look_once()
            await asyncio.sleep(self._refresh)

    async def unavailable_reason(self) -> str | None:
        """Why the topic cannot be used, as seen at most a second ago; None if it can."""
        if asyncio.get_running_loop().time() - self._seen > _FRESH_SECONDS:
            await self._look_once()
        return self._trouble

    async def _look_once(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._note())
        await asyncio.shield(self._looking)

    async def _note(self) -> None:
        try:
            partitions = await asyncio.to_thread(self._look)
        except LogError as error:
            # Records may still be queued while Kafka is away for a moment, but not for a topic that is gone.
            self._settle(None if isinstance(error, LogUnfit) else self.partitions, str(error))
        else:
            self._settle(partitions, None)
        finally:
            self._seen = asyncio.get_running_loop().time()
            self._looking = None

    def _settle(self, partitions: int | None, unavailable_reason: str | None) -> None:
        if unavailable_reason != self._trouble or partitions != self.partitions:
            logger.log(
                logging.INFO if unavailable_reason is None else logging.WARNING,
                "the topic: %s, %s",
                "no partitions known" if partitions is None else f"{partitions} partitions",
                unavailable_reason or "Kafka answers",
            )
        self._trouble = unavailable_reason
        self.partitions = partitions
