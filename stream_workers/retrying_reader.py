"""Reads that are retried for as long as it takes, each by itself."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Rebuild
from contract.store import StoreReader, WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stream_workers.retry import RetryPolicy

T = TypeVar("T")

LONGEST_READ_DELAY: Final = 1.0
"""Seconds. A partition is not counted until it is loaded, and a question is little work for a store in trouble."""


class RetryingReader:
    """Implements contract.store.StoreReader for as long as `still_ours` says so; then each question raises Abandoned.

    A load asks several questions. Of a store that refuses every other one, each that is asked again costs one more;
    all of them begun again would hardly ever be answered in a row. An earlier answer stays right meanwhile: whoever
    reads what is committed reads progress again at the end.
    """

    def __init__(self, reader: StoreReader, retry: RetryPolicy, what: str, still_ours: Callable[[], bool]) -> None:
        """`what` the questions are for."""
        self._reader = reader
        self._retry = retry
        self._what = what
        self._still_ours = still_ours

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        return await self._ask(partial(self._reader.read_progress, source))

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self._ask(partial(self._reader.read_windows, hour, source))

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        return await self._ask(partial(self._reader.read_windows_between, first, end, source))

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        return await self._ask(partial(self._reader.read_segments, hour, source, window))

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        return await self._ask(partial(self._reader.read_segments_of_hours, source, windows))

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        return await self._ask(partial(self._reader.read_manifests, source))

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        return await self._retry(self._what, question, still_ours=self._still_ours, longest_delay=LONGEST_READ_DELAY)
