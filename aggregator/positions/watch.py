"""One look at the store's progress at a time, for all who wait for it."""

import asyncio
from collections.abc import Mapping
from typing import Final

from contract.errors import StateUnreadable, StoreError
from contract.log.position import Position
from contract.log.progress import LogPartition, Progress
from contract.store import StoreReader

EVERY: Final = 0.2
"""Seconds between looks: workers commit twice a second."""


class ProgressWatch:
    """Looks while anybody waits, however many these are."""

    def __init__(self, store: StoreReader, every: float = EVERY) -> None:
        """`every`: seconds between looks."""
        self._store = store
        self._every = every
        self._progress: Mapping[LogPartition, Progress] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._waiting = 0
        self._closed = False

    async def until_counted(self, position: Position, seconds: float) -> bool:
        """Returns once progress covers it, and True; or False after `seconds`, or when the process stops.

        A store that does not answer is asked again.
        """
        self._waiting += 1
        if self._task is None:
            self._task = asyncio.create_task(self._look_on())
        try:
            async with asyncio.timeout(seconds):
                while not (self._closed or position.is_counted(self._progress)):
                    await self._looked.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self._task.cancel()
                # Nobody's later question may be answered by it: a store that was restored says less.
                self._task, self._progress = None, {}
        return not self._closed

    def close(self) -> None:
        """Nobody waits any more."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._looked.set()
        self._looked = asyncio.Event()

    async def _look_on(self) -> None:
        while True:
            # Who waits has just read the store by itself.
            await asyncio.sleep(self._every)
            try:
                self._progress = await self._store.read_progress()
            except (StoreError, StateUnreadable):
                continue
            self._wake()
