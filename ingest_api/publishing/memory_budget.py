"""A bound on memory: so many bytes may be held at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.errors import NotPublished


class Reservation:
    """What one holder took of a budget."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self.size = 0

    def take(self, size: int) -> None:
        """Takes `size` bytes more. Raises NotPublished if the budget does not allow it."""
        self._budget.take(size)
        self.size += size


class MemoryBudget:
    """Bytes that may be held at a time. Nobody waits for some: who gets none is told to come again."""

    def __init__(self, limit: int, what: str) -> None:
        """`what` names what is held, for people."""
        self._limit = limit
        self._what = what
        self.used = 0

    def take(self, size: int) -> None:
        """Takes `size` bytes. Raises NotPublished if that many are not free."""
        if self.used + size > self._limit:
            raise NotPublished(f"{self.used} bytes of {self._what} are held of {self._limit} that may be")
        self.used += size

    def give_back(self, size: int) -> None:
        """Gives back what was taken."""
        self.used -= size

    @contextmanager
    def held(self) -> Iterator[Reservation]:
        """What is taken within is given back at the end."""
        held = Reservation(self)
        try:
            yield held
        finally:
            self.give_back(held.size)
