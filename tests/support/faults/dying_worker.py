"""`python -m support.faults.dying_worker`: the worker on a store that kills the process at a named moment of a flush.

The seam is the store's, so nothing in the product knows of it.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from contract.store import ProgressPoint, RawActions, SegmentPoint, Store, WindowPoint
from stores.opening import open_store
from support.product.worker_process import WorkerProcess

FLUSHES = 3
"""This many are committed before the one during which the worker dies."""
_MOMENT = "DYING_WORKER_MOMENT"


class Moment(StrEnum):
    """What a flush has written when its worker dies."""

    NOTHING = "nothing"
    HALF_THE_ACTIONS = "half of the raw actions"
    ACTIONS = "the raw actions"
    HALF_THE_SEGMENTS = "half of the segments"
    SEGMENTS = "the segments, no windows"
    HALF_THE_WINDOWS = "the segments, half of the windows"
    RESULTS = "all results, no progress"
    HALF_THE_PROGRESS = "the progress of half of the partitions"
    PROGRESS = "progress, nothing committed to Kafka"


class DyingWorker(WorkerProcess):
    """This module as a process."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], *, moment: Moment) -> None:
        added = {_MOMENT: moment.value, "PYTHONPATH": str(Path(__file__).parents[2])}
        super().__init__(name, folder, {**environment, **added}, module="support.faults.dying_worker")


class DyingStore:
    """Passes everything on to a store, but during the last flush only what comes before the moment."""

    def __init__(self, store: Store, moment: Moment) -> None:
        self._store = store
        self._moment = moment
        self._flushes = 0
        self._last_flush = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - reads and the like go straight to the store
        return getattr(self._store, name)

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        """A flush begins with it; one of a single partition has no halves."""
        self._last_flush = self._flushes >= FLUSHES and len(batches) > 1
        match self._moment if self._last_flush else None:
            case Moment.NOTHING:
                _die(self._moment)
            case Moment.HALF_THE_ACTIONS:
                await self._die_after(self._store.write_actions, batches[::2])
            case Moment.ACTIONS:
                await self._die_after(self._store.write_actions, batches)
            case _:
                await self._store.write_actions(batches)

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        """A flush writes its segments first."""
        match self._moment if self._last_flush else None:
            case Moment.HALF_THE_ACTIONS | Moment.ACTIONS:
                await asyncio.Event().wait()
            case Moment.HALF_THE_SEGMENTS if len(segments) > 1:
                await self._die_after(self._store.write_windows, [], segments[::2])
            case Moment.SEGMENTS if segments:
                await self._die_after(self._store.write_windows, [], segments)
            case Moment.HALF_THE_WINDOWS if len(windows) > 1:
                await self._die_after(self._store.write_windows, windows[::2], [])
            case _:
                await self._store.write_windows(windows, segments)

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        match self._moment if self._last_flush else None:
            case Moment.RESULTS:
                _die(self._moment)
            case Moment.HALF_THE_PROGRESS:
                await self._die_after(self._store.write_progress, points[::2])
            case Moment.PROGRESS:
                await self._die_after(self._store.write_progress, points)
            case _:
                await self._store.write_progress(points)
                self._flushes += len(points) > 1

    async def _die_after(self, write: Callable[..., Awaitable[None]], *points: Sequence[Any]) -> None:
        await write(*points)
        _die(self._moment)


def _die(moment: Moment) -> None:
    print(f"dies having written {moment}", flush=True)  # noqa: T201 - for the test that looks into the log
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """As `python -m stream_workers`."""
    from stream_workers import __main__ as program  # noqa: PLC0415 - tests import this module for its names only

    def open_dying_store(*how: Any) -> DyingStore:  # noqa: ANN401 - whatever the worker opens its store with
        return DyingStore(open_store(*how), Moment(os.environ[_MOMENT]))

    program.open_store = open_dying_store  # type: ignore[attr-defined] # the one place where the worker opens its store
    program.main()


if __name__ == "__main__":
    main()
