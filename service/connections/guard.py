"""What a process knows of its connections, and decides about them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from uvicorn.server import ServerState

from service.client import ClientNames, name_of
from service.connections.limits import ConnectionLimits
from service.connections.metrics import ConnectionMetrics
from service.metrics.listed import MetricList

logger = logging.getLogger(__name__)

_EVERY: Final = 1.0
"""Seconds between two looks at all connections: nothing is done for a request, nor is a timer set for one."""
_AT_ONCE: Final = 200
"""So many are looked at, in about a millisecond; then others have their turn."""
_REFUSED_AT_ONCE: Final = 32
"""So many that were refused may take their time to read why."""


class Guarded(Protocol):
    """A connection, as the guard sees it."""

    def look(self, now: float) -> int:
        """Ends itself if it has taken too long; bytes that its client has not read yet. `now` in seconds."""

    def give_up(self, reason: str) -> None:
        """Ends itself at once."""


class Guard(ServerState):
    """The server's own state, with bounds."""

    def __init__(
        self,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - it is a tuple
        clients: ClientNames | None = None,
        metrics: ConnectionMetrics | None = None,
    ) -> None:
        super().__init__()
        self.limits = limits
        self.metrics = metrics or ConnectionMetrics(MetricList())
        self.metrics.requests.set_function(lambda: self.total_requests)
        self.refused = 0
        """Connections that were refused and are still open."""
        self.is_stopping = False
        """Whether the process lets nobody in any more."""
        self.waiting_bytes = 0
        self._clients = clients or ClientNames()
        self._open = 0
        self._of_client: Counter[str] = Counter()

    def admit(self, peer: str) -> str | None:
        """Takes a connection from this address, or names the limit that it would break."""
        client = name_of(peer)
        if self._open >= self.limits.connections:
            return self._refuse("connections", self.limits.connections, client)
        if self._of_client[client] >= self.limits.of_one and not self._clients.is_proxy(peer):
            return self._refuse("of_one", self.limits.of_one, client)
        self._of_client[client] += 1
        self._open += 1
        self.metrics.open.set(self._open)
        return None

    def leave(self, peer: str) -> None:
        """A connection that was taken is closed."""
        client = name_of(peer)
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client]
        self._open -= 1
        self.metrics.open.set(self._open)

    def may_read_why(self) -> bool:
        """Whether one more that is refused may stay until its client has read the answer."""
        return self.refused < _REFUSED_AT_ONCE

    def end(self, reason: str, peer: str) -> None:
        """Counts a connection that is ended."""
        self.metrics.ended.labels(reason).inc()
        logger.info("a connection of %s is ended: %s", peer, reason)

    def has_room_for(self, size: int) -> bool:
        """Whether so many more bytes may wait; they do then, until they are taken off `waiting_bytes`."""
        if self.is_short_of(size):
            return False
        self.waiting_bytes += size
        return True

    def is_short_of(self, size: int) -> bool:
        """Whether so many more bytes would be too many to wait."""
        return self.waiting_bytes + size > self.limits.waiting_bytes

    async def watch(self, also: Callable[[], None]) -> None:
        """Looks at all connections again and again, and calls `also` each time."""
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_EVERY)
            also()
            await self.look_at_all(list(self.connections), now())  # type: ignore[arg-type] # all of ours are guarded

    async def look_at_all(self, connections: Iterable[Guarded], now: float) -> None:
        """Ends those that take too long, then the ones with most unread bytes, while all have too many."""
        unread: list[tuple[int, Guarded]] = []
        for number, connection in enumerate(connections, 1):
            if size := connection.look(now):
                unread.append((size, connection))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        total = sum(size for size, _ in unread)
        for size, connection in sorted(unread, key=lambda one: -one[0]):
            if total <= self.limits.unread_bytes:
                return
            connection.give_up("unread_bytes")
            total -= size

    def _refuse(self, limit: str, most: int, client: str) -> str:
        self.metrics.refused.labels(limit).inc()
        logger.warning("a connection of %s is refused: there are %d, the most that %s", client, most, _MOST[limit])
        return limit


_MOST: Final = {"connections": "this process takes", "of_one": "one client may have"}
