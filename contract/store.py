"""The store as the services see it: what may be written and read, and what each promises.

A `slot` is a number of nanoseconds within an hour: it distinguishes values of one hour by different writers, or
different turns of one writer. Values are facts about the log, each with the offset that it covers, so the order of
writes does not matter and a write may be repeated.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest, Rebuild
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue

SLOTS = 3_600_000_000_000
"""Slots are 0 <= slot < SLOTS: the nanoseconds of an hour."""


BLOCK_MS: Final = 512 * HOUR_MS
"""So long is a block of hours; blocks begin at the epoch."""


class RawActions(NamedTuple):
    """Consecutive lines of a partition, from the line numbered `first_line`; None stands for a rejected line."""

    source: LogPartition
    first_line: int
    lines: Sequence[Action | None]


class StoredAction(NamedTuple):
    """An action, with the number of its line within its partition."""

    line: int
    action: Action


class WindowPoint(NamedTuple):
    """A window's value, for the hour that starts at `hour` (ms since the epoch)."""

    source: LogPartition
    hour: int
    slot: int
    value: WindowValue


class SegmentPoint(NamedTuple):
    """A part of a segment. Stored under (source, hour, through_offset, part, parts, generation, full)."""

    source: LogPartition
    hour: int
    segment: Segment


class ProgressPoint(NamedTuple):
    """A partition's progress. Stored under (source, hour of its watermark, slot)."""

    source: LogPartition
    slot: int
    value: Progress


class ManifestPoint(NamedTuple):
    """A rebuild's manifest. Stored under (source, its id); it never changes."""

    source: LogPartition
    manifest: Manifest


class StoreWriter(Protocol):
    """What workers and rebuilds do. Each call returns once all of it is acknowledged, in any order and in parts.

    Each raises StoreUnavailable when some or all of it may not have been written, or not yet, or may be written later;
    and StoreConflict when the store can never accept it.
    """

    async def write_actions(self, batches: Sequence[RawActions]) -> None:
        """Stores raw actions, if raw storage is on and they are younger than its retention."""

    async def write_windows(self, windows: Sequence[WindowPoint], segments: Sequence[SegmentPoint]) -> None:
        """Stores results, replacing what the same keys held."""

    async def write_progress(self, points: Sequence[ProgressPoint]) -> None:
        """Stores progress, replacing what the same keys held."""

    async def write_manifests(self, points: Sequence[ManifestPoint]) -> None:
        """Stores manifests."""


class StoreReader(Protocol):
    """What workers and readers ask. Each raises StoreUnavailable or StateUnreadable.

    Where a source is given, only its values are read; else all sources'.
    """

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        """The highest progress of each source that has any, whatever its age."""

    async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
        """All values of the hour, committed or not, of all slots."""

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        """All values, as above, of the hours from `first` up to, not including, `end`: however many these are."""

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        """All parts of the source's segments of the hour that belong to the value `window`."""

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        """By hour, what `read_segments` gives for each; in as many requests as one answer's size allows for."""

    async def read_manifests(self, source: LogPartition) -> dict[str, Rebuild]:
        """What each of the source's manifests says, by its id."""


class BlockVersion(NamedTuple):
    """What is another whenever a value of the block's hours was written: each write adds a value or raises one."""

    values: int
    offsets: int
    """The sum of the values' offsets."""


class HistoryReader(StoreReader, Protocol):
    """What those ask who add up all hours there ever were: nothing here grows with how many these are."""

    def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        """What `read_windows_between` gives, in portions of bounded size, in the order of the hours."""

    async def read_block_versions(self, source: LogPartition) -> dict[int, BlockVersion]:
        """By the block's start, for each block of hours that has values.

        What is acknowledged is seen. Values that older versions of this program wrote may be left out.
        """


class RawReader(Protocol):
    """What those ask who read raw actions back."""

    def stream_actions(self, hour: int, source: LogPartition) -> AsyncIterator[Sequence[StoredAction]]:
        """The raw actions of an hour (its start in ms since the epoch) that are stored, however they were stored.

        In portions of bounded size, in any order, each line once. Lines above the source's progress may be among them.
        Raises StoreUnavailable or StateUnreadable.
        """


class Store(StoreWriter, HistoryReader, RawReader, Protocol):
    """A store that can be written and read."""

    async def ping(self) -> None:
        """Returns if the store answers and accepts our credentials; else raises StoreUnavailable."""

    async def close(self) -> None:
        """Closes its connections."""
