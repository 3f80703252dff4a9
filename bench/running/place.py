"""Where the workers of one run store, as the benchmark looks at it: by the product's own readers."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import TypeVar

from bench.case import require
from bench.load.stored import StoredNumbers, lines_in, numbers_of, raw_actions_in
from bench.load.traffic import Numbers
from bench.running.services import environment_of
from bench.storing.servers import Server, opened
from contract.store import Store
from stores.raw.settings import RawStorage
from stores.settings import StoreSettings

T = TypeVar("T")


class Place:
    """Buckets or a keyspace of one run. Its connections stay open: to open one for each look costs Cassandra 0.1 s."""

    def __init__(self, server: Server, settings: StoreSettings, store: Store, runner: asyncio.Runner) -> None:
        self._server = server
        self._settings = settings
        self._store = store
        self._runner = runner

    @property
    def environment(self) -> Mapping[str, str]:
        """By which a worker stores here."""
        return environment_of(self._settings)

    def cpu(self) -> float:
        """Seconds that the store's processes have used."""
        return self._server.cpu()

    def lines_through(self) -> int:
        """Lines whose progress the store has acknowledged."""
        return self._runner.run(lines_in(self._store))

    def require_counted(self, hours: Mapping[int, Numbers], number: int) -> None:
        """Raises WrongResult unless all hours, and the number of raw actions, are as they must be."""
        require(self._runner.run(self._numbers(hours)), dict(hours), "hours")
        raw = 0 if self._settings.raw_storage is RawStorage.OFF else number
        require(self._runner.run(self._raw_actions(hours)), raw, "raw actions")

    async def _numbers(self, hours: Iterable[int]) -> dict[int, Numbers]:
        return {hour: await numbers_of(self._store, hour) for hour in hours}

    async def _raw_actions(self, hours: Iterable[int]) -> int:
        if self._settings.raw_storage is RawStorage.POINTS:
            return await StoredNumbers(self._settings).raw_points()
        return await raw_actions_in(self._store, hours)


@contextmanager
def place_on(server: Server, raw: RawStorage) -> Iterator[Place]:
    """A new place, with raw actions stored in this way; it is removed at the end."""
    with (
        asyncio.Runner() as runner,
        _entered(runner, server.place(raw)) as settings,
        _entered(runner, opened(settings)) as store,
    ):
        yield Place(server, settings, store, runner)


@contextmanager
def _entered(runner: asyncio.Runner, managed: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An asynchronous context manager, for a block that is not."""
    stack = AsyncExitStack()
    value = runner.run(stack.enter_async_context(managed))
    try:
        yield value
    finally:
        runner.run(stack.aclose())
