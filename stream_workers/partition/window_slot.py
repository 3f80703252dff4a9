"""A window in memory, and where its values go in the store."""

from dataclasses import dataclass

from contract.window import Window


@dataclass(slots=True)
class WindowSlot:
    """A window in memory and its two slots, which are written in turn."""

    hour: int
    window: Window
    slots: list[int]
    turn: int = 0
    used: int = 0
    """Timestamp of the last record folded into it, comparable over partitions: the least recently used goes first."""
