"""What one flush stores of one partition: a snapshot, so that folding goes on while it is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.log.progress import Progress
from contract.store import RawActions, SegmentPoint, WindowPoint
from contract.windows.window_value import WindowValue
from stream_workers.partition.decoded import RejectedLine
from stream_workers.partition.windows import WindowSlot

if TYPE_CHECKING:
    from stream_workers.partition.state import PartitionState


@dataclass(frozen=True, slots=True)
class PartitionFlush:
    """What one flush stores of one partition. Its values are immutable; only slots may still be drawn again."""

    state: "PartitionState"
    raw: RawActions
    windows: list[tuple[WindowSlot, WindowValue]]
    segments: list[SegmentPoint]
    rejected: list[RejectedLine]
    refused: list[RejectedLine]
    """Records that said they were a rebuild: they go where rejected lines go, and are none."""
    progress: Progress

    def window_points(self) -> list[WindowPoint]:
        """The windows' values, each in the slot whose turn it is."""
        source = self.state.source
        return [WindowPoint(source, slot.hour, slot.slots[slot.turn], value) for slot, value in self.windows]

    def draw_window_slots(self) -> None:
        """After a write with an unknown outcome: a late write must not land on a newer value."""
        for slot, _ in self.windows:
            slot.slots[slot.turn] = self.state.draw_slot()
