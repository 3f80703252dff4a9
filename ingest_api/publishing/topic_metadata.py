"""What is known of the topic: whether Kafka answers, and how many partitions it has."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from contract.errors import LogError, LogUnfit

logger = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 1.0


class TopicMetadata:
    """Asks for the topic at intervals, off the event loop, and never twice at a time."""

    def __init__(self, count_partitions: Callable[[], int], refresh: float) -> None:
        """`count_partitions` blocks, and may raise LogError; it is called every `refresh` seconds."""
        self._count_partitions = count_partitions
        self._refresh = refresh
        self._running: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._seen = float("-inf")
        self._answered = asyncio.Event()
        self._unavailable_reason: str | None = "Kafka was not reached yet"
        self.partitions: int | None = None
        """As last seen; None while the topic was never seen, or is gone."""

    def start(self) -> None:
        """Begins to ask, on the running event loop."""
        self._running = asyncio.create_task(self._run())

    async def answered(self) -> None:
        """Returns once Kafka has said, for the first time, what it knows of the topic."""
        await self._answered.wait()

    async def close(self) -> None:
        """Asks no more; returns once no thread of ours is left."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        if self._refreshing is not None:
            await self._refreshing

    async def _run(self) -> None:
        while True:
            await self._refresh_once()
            # Requests may wait for the first answer.
            await asyncio.sleep(self._refresh if self._answered.is_set() else min(self._refresh, _FRESH_SECONDS))

    async def unavailable_reason(self) -> str | None:
        """Why the topic cannot be used, as seen at most a second ago; None if it can."""
        if asyncio.get_running_loop().time() - self._seen > _FRESH_SECONDS:
            await self._refresh_once()
        return self._unavailable_reason

    async def _refresh_once(self) -> None:
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._note())
        await asyncio.shield(self._refreshing)

    async def _note(self) -> None:
        try:
            partitions = await asyncio.to_thread(self._count_partitions)
        except LogError as error:
            if isinstance(error, LogUnfit):
                self._answered.set()
            # Records may still be queued while Kafka is away for a moment, but not for a topic that is gone.
            self._settle(None if isinstance(error, LogUnfit) else self.partitions, str(error))
        else:
            self._answered.set()
            self._settle(partitions, None)
        finally:
            self._seen = asyncio.get_running_loop().time()
            self._refreshing = None

    def _settle(self, partitions: int | None, unavailable_reason: str | None) -> None:
        if unavailable_reason != self._unavailable_reason or partitions != self.partitions:
            logger.log(
                logging.INFO if unavailable_reason is None else logging.WARNING,
                "the topic: %s, %s",
                "no partitions known" if partitions is None else f"{partitions} partitions",
                unavailable_reason or "Kafka answers",
            )
        self._unavailable_reason = unavailable_reason
        self.partitions = partitions
