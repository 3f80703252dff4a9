"""A bound on the memory that requests hold, and on each client's share of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.errors import NotPublished


class Reservation:
    """What one request has reserved of a budget; `client` shares it with the other requests of that name."""

    def __init__(self, budget: "MemoryBudget", client: str | None) -> None:
        self._budget = budget
        self.client = client
        self.size = 0

    def reserve(self, size: int) -> None:
        """Reserves `size` bytes more. Raises NotPublished if the budget does not allow it."""
        self._budget.reserve(size, self.client)
        self.size += size

    def grow_to(self, size: int) -> None:
        """Reserves as many more as it has less than `size`. Raises NotPublished likewise."""
        if size > self.size:
            self.reserve(size - self.size)


class MemoryBudget:
    """Bytes that may be held at a time. Nobody waits for some: where none are free, the request is refused."""

    def __init__(self, limit: int, what: str, of_one: int | None = None) -> None:
        """`what` names what is held, for people; `of_one`: how many bytes one client may hold of it."""
        self._limit = limit
        self._what = what
        self._of_one = limit if of_one is None else of_one
        self._by_client: Counter[str] = Counter()
        self.used = 0

    def reserve(self, size: int, client: str | None = None) -> None:
        """Reserves `size` bytes. Raises NotPublished if that many are not free, or not free for this client."""
        if self.used + size > self._limit:
            raise NotPublished(f"{self.used} bytes of {self._what} are in use of at most {self._limit}")
        if client is not None:
            own = self._by_client[client]
            if own + size > self._of_one:
                raise NotPublished(f"{own} bytes of {self._what} of one client are in use of at most {self._of_one}")
            self._by_client[client] = own + size
        self.used += size

    def release(self, size: int, client: str | None = None) -> None:
        """Gives back what was reserved."""
        self.used -= size
        if client is not None:
            self._by_client[client] -= size
            if not self._by_client[client]:
                del self._by_client[client]

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """What is there already, whatever the limit says, counts as in use until the end."""
        self.used += size
        try:
            yield
        finally:
            self.used -= size

    @contextmanager
    def reservation(self, client: str | None = None) -> Iterator[Reservation]:
        """What is reserved within is released at the end."""
        reservation = Reservation(self, client)
        try:
            yield reservation
        finally:
            self.release(reservation.size, client)
