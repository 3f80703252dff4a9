"""Requests that run side by side, a bounded number at a time."""

from asyncio import TaskGroup
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from contract.errors import StoreConflict, StoreError

T = TypeVar("T")


async def side_by_side(requests: Iterable[Awaitable[T]], limit: int) -> list[T]:
    """The results in the requests' order. A request is taken from `requests` only when its turn comes.

    Raises StoreConflict or StoreUnavailable at the first that fails; the others may be carried out or not.
    """
    results: dict[int, T] = {}
    numbered = enumerate(requests)

    async def take_turns() -> None:
        for number, request in numbered:
            results[number] = await request

    try:
        async with TaskGroup() as group:
            for _ in range(limit):
                group.create_task(take_turns())
    except BaseExceptionGroup as errors:
        raise _gravest(errors) from errors
    return [results[number] for number in range(len(results))]


def _gravest(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """What to raise for requests that failed together: anything unforeseen, else a conflict, else any."""

    def gravity(error: BaseException) -> int:
        return 2 if not isinstance(error, StoreError) else isinstance(error, StoreConflict)

    return max(errors.exceptions, key=gravity)
