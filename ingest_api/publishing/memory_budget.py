"""A bound on the memory that requests hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.errors import NotPublished


class Reservation:
    """What one request has reserved of a budget."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self.size = 0

    def reserve(self, size: int) -> None:
        """Reserves `size` bytes more. Raises NotPublished if the budget does not allow it."""
        self._budget.reserve(size)
        self.size += size


class MemoryBudget:
    """Bytes that may be held at a time. Nobody waits for some: where none are free, the request is refused."""

    def __init__(self, limit: int, what: str) -> None:
        """`what` names what is held, for people."""
        self._limit = limit
        self._what = what
        self.used = 0

    def reserve(self, size: int) -> None:
        """Reserves `size` bytes. Raises NotPublished if that many are not free."""
        if self.used + size > self._limit:
            raise NotPublished(f"{self.used} bytes of {self._what} are in use of at most {self._limit}")
        self.used += size

    def release(self, size: int) -> None:
        """Gives back what was reserved."""
        self.used -= size

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """What is reserved within is released at the end."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.release(reservation.size)
