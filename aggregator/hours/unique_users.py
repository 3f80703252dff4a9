"""The users of one hour whose windows may share some: the union of the stored hashes."""

import asyncio
from collections.abc import Iterable

import msgspec

from aggregator.hours.totals import Windows
from contract.log.progress import LogPartition
from contract.store import StoreReader
from contract.windows.hash_set import HashSet, union
from contract.windows.hashes import unpack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue


class HourUsers:
    """A set in memory, some 10 bytes a user, that remembers which windows it holds: the next count reads on from there.

    The segments up to a committed window hold exactly the users of the log up to it, and whatever is written there
    later adds none. So the segments that came since are all that a later window needs.
    """

    def __init__(self) -> None:
        """No users."""
        self._users = HashSet()
        self._counted: Windows = {}

    async def count(self, reader: StoreReader, hour: int, windows: Windows) -> int:
        """How many users these committed windows of `hour` have together. Raises what `reader` raises."""
        users, counted = self._users, self._counted
        # Whoever is cancelled half-way leaves nothing to build on.
        self._users, self._counted = HashSet(), {}
        if not all(source in windows and _follows(windows[source], before) for source, before in counted.items()):
            users, counted = HashSet(), {}
        rising = [source for source, window in windows.items() if counted.get(source) != window]
        for segments in await asyncio.gather(*(_read(reader, hour, source, windows, counted) for source in rising)):
            # Millions of hashes take a while: other requests go on meanwhile.
            await asyncio.to_thread(_add, users, segments)
        self._users, self._counted = users, windows
        return len(users)


def _follows(window: WindowValue, before: WindowValue) -> bool:
    """Whether all users of `before` are users of `window`: not where the store forgot it, or it was rebuilt."""
    later = window.through_offset > before.through_offset and window.generation == before.generation
    return later or window == before


async def _read(
    reader: StoreReader, hour: int, source: LogPartition, windows: Windows, counted: Windows
) -> list[Segment]:
    window = windows[source]
    # As if one full segment held all that was counted here.
    full_through = max(window.full_through, counted[source].through_offset if source in counted else -1)
    return await reader.read_segments(hour, source, msgspec.structs.replace(window, full_through=full_through))


def _add(users: HashSet, segments: Iterable[Segment]) -> None:
    users.add(union(unpack_hashes(segment.users) for segment in segments))
