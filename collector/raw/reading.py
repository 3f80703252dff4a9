"""Reading the raw actions of an hour that are counted, in portions, and how many of them there should be."""

from collections.abc import AsyncGenerator, Sequence

from contract.log.action import Action
from contract.store import Store
from stores.committed import Committed, read_committed


class RawHour:
    """The raw actions of one hour up to what was counted when the reading began."""

    def __init__(self, store: Store, hour: int) -> None:
        """`hour`: its start in ms since the epoch."""
        self._store = store
        self._hour = hour
        self.counted = 0
        """Actions that were counted in the hour, duplicates too."""
        self.found = 0
        """Those of them that are stored as raw actions, as far as they have been read."""

    async def portions(self) -> AsyncGenerator[Sequence[Action], None]:
        """Each action as often as the log has it, in any order. Raises StoreUnavailable and StateUnreadable."""
        committed = await read_committed(self._store, self._hour, exactly=True)
        self.counted = sum(map(_lines_of, committed.values()))
        for source, (progress, _) in sorted(committed.items()):
            async for some in self._store.stream_actions(self._hour, source):
                # Later lines are no part of what was counted yet, though they may be stored.
                actions = [action for line, action in some if line < progress.lines]
                self.found += len(actions)
                yield actions


def _lines_of(committed: Committed) -> int:
    window = committed.window
    return 0 if window is None else sum(window.counts.values()) + window.duplicates
