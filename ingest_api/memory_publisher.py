"""A log in memory: the fake for tests."""

from collections.abc import Sequence

from contract.action import Action
from ingest_api.errors import PublishUnavailable


class MemoryPublisher:
    """Acknowledges at once, unless it is told that something is wrong."""

    def __init__(self) -> None:
        """An empty log, not started."""
        self.published: list[Action] = []
        self.publications = 0
        self.failure: PublishUnavailable | None = None
        """What `publish` raises, if anything."""
        self.reason: str | None = None
        """What `trouble` answers."""
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def publish(self, actions: Sequence[Action]) -> None:
        if self.failure is not None:
            raise self.failure
        self.publications += 1
        self.published.extend(actions)

    async def trouble(self) -> str | None:
        return self.reason

    async def close(self) -> None:
        self.running = False
