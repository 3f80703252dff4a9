"""The windows of one partition in memory: loaded when they are needed, folded into, flushed, and evicted."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.log.record import Record
from contract.store import SegmentPoint, StoreReader
from contract.windows.window import Window
from contract.windows.window_value import WindowValue
from stores.committed import read_loads
from stream_workers.partition.known_values import KnownValues

DrawSlot = Callable[[], int]

BYTES_PER_WINDOW: Final = 2_000
"""An empty window with its slots; 1,700 were measured."""


@dataclass(slots=True)
class WindowSlot:
    """A window in memory and its two slots, which are written in turn."""

    hour: int
    window: Window
    slots: list[int]
    turn: int = 0
    used: int = 0
    """Timestamp of the last record folded into it, comparable over partitions: the least recently used goes first."""
    size: int = 0
    """About how many bytes it takes, without what was folded since its last flush."""
    hashes: int = 0
    """How many hashes it holds, likewise."""
    duplicates: int = 0
    """How many of its lines the metrics were told of as duplicates."""


class WindowTable:
    """A cache over the store: to lose a window costs a reload, once what it holds is committed."""

    def __init__(self, source: LogPartition, draw_slot: DrawSlot) -> None:
        """No windows."""
        self._source = source
        self._draw_slot = draw_slot
        self._touched: set[int] = set()
        self._pinned: set[int] = set()
        self.windows: dict[int, WindowSlot] = {}
        """By hour."""
        self.known = KnownValues()
        """Of hours whose windows are not in memory."""
        self.must_reach = -1
        """Highest through_offset of a loaded window: no flush ends below it."""
        self.size = 0
        """Of all windows together, in bytes: to ask each of 80,000 took 0.1 s, at each flush."""
        self.hashes = 0

    @property
    def touched(self) -> int:
        """How many windows were folded into since the last flush."""
        return len(self._touched)

    async def load(self, hours: Collection[int], reader: StoreReader) -> None:
        """Loads those windows of `hours` that are not in memory."""
        missing = [hour for hour in hours if hour not in self.windows]
        if not missing:
            return
        self.known.begin_reading()
        known = {hour: self.known[hour] for hour in missing if hour in self.known}
        values, segments = await read_loads(reader, missing, self._source, known)
        for hour in missing:
            self.must_reach = max(self.must_reach, values[hour].through_offset)
            self._hold(self._slot(hour, Window(values[hour], segments.get(hour, ()))))
        self.known.learn(values, self.windows)

    def pin(self, hours: Collection[int]) -> None:
        """These windows, and no others, are about to be folded into: they are not evicted."""
        self._pinned = set(hours)

    def fold(self, record: Record, by_hour: Mapping[int, list[Action]]) -> None:
        """Adds a record's actions to their windows, all of which are in memory."""
        for hour, actions in by_hour.items():
            slot = self.windows[hour]
            slot.used = record.timestamp
            slot.window.fold(record.offset, record.partitions, actions)
        self._touched |= by_hour.keys()

    def replace(self, windows: Mapping[int, Window], used: int) -> None:
        """Counts on from these windows; the next flush writes them. What is known of others is to be read again."""
        self.known.forget()
        for hour, window in windows.items():
            self._hold(self._slot(hour, window, used))
        self._touched |= windows.keys()

    def flush(self, end: int) -> tuple[list[tuple[WindowSlot, WindowValue]], list[SegmentPoint]]:
        """The values and segments that were folded since the last flush; the log is counted up to `end`."""
        windows, segments = [], []
        for hour in self._touched:
            slot = self.windows[hour]
            flushed = slot.window.flush(end)
            self._weigh(slot)
            if flushed is not None:
                windows.append((slot, flushed[0]))
                segments += [SegmentPoint(self._source, hour, segment) for segment in flushed[1]]
        self._touched = set()
        return windows, segments

    def evictable(self, in_flight: Collection[int]) -> list[WindowSlot]:
        """Windows that are written and committed, and not about to be folded into; `in_flight` are being written."""
        busy = self._touched | self._pinned | set(in_flight)
        return [slot for hour, slot in self.windows.items() if hour not in busy]

    def drop(self, slot: WindowSlot) -> None:
        """One that is evictable."""
        self._forget(slot)
        self.known.put(slot.hour, slot.window.value)

    def _forget(self, slot: WindowSlot) -> None:
        del self.windows[slot.hour]
        self.size -= slot.size
        self.hashes -= slot.hashes

    def _hold(self, slot: WindowSlot) -> None:
        if (before := self.windows.get(slot.hour)) is not None:
            self._forget(before)
        self.windows[slot.hour] = slot
        self._weigh(slot)

    def _weigh(self, slot: WindowSlot) -> None:
        size, hashes = BYTES_PER_WINDOW + slot.window.size, slot.window.hashes
        self.size += size - slot.size
        self.hashes += hashes - slot.hashes
        slot.size, slot.hashes = size, hashes

    def _slot(self, hour: int, window: Window, used: int = 0) -> WindowSlot:
        slots = [self._draw_slot(), self._draw_slot()]
        return WindowSlot(hour, window, slots, used=used, duplicates=window.value.duplicates)
