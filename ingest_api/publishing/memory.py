"""A log in memory: the fake for tests."""

from collections.abc import Sequence

from contract.log.action import Action
from contract.log.position import Position
from ingest_api.errors import PublishUnavailable
from ingest_api.publishing.publisher import OnDelivered


class MemoryPublisher:
    """Acknowledges at once, unless it is told that something is wrong."""

    def __init__(self) -> None:
        """An empty log, not started."""
        self.published: list[Action] = []
        self.publications = 0
        self.failure: PublishUnavailable | None = None
        """How everything ends that is submitted, if it fails."""
        self.log: str | None = None
        """The name by which it says where the actions are; None: it does not say."""
        self.reason: str | None = None
        """What `unavailable_reason` answers."""
        self.running = False

    async def start(self) -> None:
        self.running = True

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        if self.failure is not None:
            on_delivered(self.failure)
            return
        self.publications += 1
        self.published.extend(actions)
        on_delivered(None if self.log is None else Position(self.log, 0, {0: len(self.published) - 1}))

    async def unavailable_reason(self) -> str | None:
        return self.reason

    async def close(self) -> None:
        self.running = False
