"""One partition's windows added up, and remembered block by block: a reading asks only for what has changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contract.hour import END_OF_TIME_MS
from contract.log.progress import LogPartition, Progress
from contract.store import BLOCK_MS, BlockVersion, HistoryReader, WindowPoint
from stores.committed_hours import highest_up_to, progress_of, values_by_hour


class Sums(NamedTuple):
    """What committed windows come to."""

    counted: int = 0
    duplicates: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Both added up."""
        return Sums(self.counted + other.counted, self.duplicates + other.duplicates)


class Totals(NamedTuple):
    """A partition's progress, and its windows up to there, added up."""

    progress: Progress
    sums: Sums


@dataclass(slots=True)
class _Block:
    """What was read of a block. `settled`: no value lay above progress, so that only a write can change its sums."""

    sums: Sums
    version: BlockVersion | None
    settled: bool


class PartitionBooks:
    """The sums of one partition's blocks, some hundred bytes each, however many hours there are.

    A block's version is read before its windows: a write that comes in between is seen at the next reading, as another
    version. And it is read after progress, so what progress covers is acknowledged by then, and part of the version.
    """

    def __init__(self, store: HistoryReader, source: LogPartition) -> None:
        """Nothing is read yet."""
        self._store = store
        self._source = source
        self._blocks: dict[int, _Block] = {}
        self._swept = 0
        """Every block that begins before this has been read: also those of values that have no version."""

    async def read(self, attempts: int) -> Totals | None:
        """All committed windows at one progress; None if that moved during each of this many attempts.

        Whatever a reading that fails or is cut off has read by then is remembered. Raises what the store raises.
        """
        before = await progress_of(self._store, self._source)
        for _ in range(attempts):
            versions = await self._store.read_block_versions(self._source)
            for first, end in self._outdated(versions):
                await self._read_blocks(first, end, versions, before.through_offset)
            after = await progress_of(self._store, self._source)
            if after == before:
                return Totals(after, self._sums())
            before = after
        return None

    def _sums(self) -> Sums:
        total = Sums()
        for block in self._blocks.values():
            total = total.plus(block.sums)
        return total

    def _outdated(self, versions: dict[int, BlockVersion]) -> list[tuple[int, int]]:
        """The hours to read again, as few spans as they make; each begins and ends with a block."""
        spans: list[tuple[int, int]] = []
        for start in sorted(versions.keys() | self._blocks.keys()):
            if start >= self._swept or self._is_current(start, versions):
                continue
            if spans and spans[-1][1] == start:
                spans[-1] = spans[-1][0], start + BLOCK_MS
            else:
                spans.append((start, start + BLOCK_MS))
        return [*spans, (self._swept, END_OF_TIME_MS)] if self._swept < END_OF_TIME_MS else spans

    def _is_current(self, start: int, versions: dict[int, BlockVersion]) -> bool:
        block = self._blocks.get(start)
        return block is not None and block.settled and block.version == versions.get(start)

    async def _read_blocks(self, first: int, end: int, versions: dict[int, BlockVersion], limit: int) -> None:
        at = first
        points = self._store.stream_windows(first, end, self._source)
        async for start, sums, settled in _sums_by_block(points, limit):
            self._forget(at, start)
            self._blocks[start] = _Block(sums, versions.get(start), settled)
            at = start + BLOCK_MS
            self._swept = max(self._swept, at)
        self._forget(at, end)
        self._swept = max(self._swept, end)

    def _forget(self, first: int, end: int) -> None:
        """These blocks have no values any more."""
        for start in [start for start in self._blocks if first <= start < end]:
            del self._blocks[start]


async def _sums_by_block(
    portions: AsyncIterator[Sequence[WindowPoint]], limit: int
) -> AsyncIterator[tuple[int, Sums, bool]]:
    """Each block's start, what its windows up to the offset `limit` come to, and whether there are none beyond that."""
    start, sums, settled = -1, Sums(), True
    async for hour, values in values_by_hour(portions):
        block = hour // BLOCK_MS * BLOCK_MS
        if block != start:
            if start >= 0:
                yield start, sums, settled
            start, sums, settled = block, Sums(), True
        settled &= max(value.through_offset for value in values) <= limit
        window = highest_up_to(limit, values)
        if window is not None:
            sums = sums.plus(Sums(sum(window.counts.values()), window.duplicates))
    if start >= 0:
        yield start, sums, settled
