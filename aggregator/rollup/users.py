"""The users of hours whose windows may share some: each union is made once, however often an hour is looked up."""

from xxhash import xxh3_64_intdigest

from aggregator.hours.totals import Windows
from aggregator.hours.unique_users import HourUsers
from contract.hour import HOUR_MS, hour_of
from contract.store import StoreReader
from service.clock import Clock


class RememberedUsers(HourUsers):
    """Counts users. Remembers the last count of each hour; the sets only of those in which much is still to come."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[int, tuple[int, int]] = {}
        self._current: dict[int, HourUsers] = {}

    async def count(self, reader: StoreReader, hour: int, windows: Windows) -> int:
        counted_of = xxh3_64_intdigest(repr(sorted(windows.items(), key=lambda item: item[0])).encode())
        of, count = self._counts.get(hour, (None, 0))
        if of != counted_of:
            count = await self._users_of(hour).count(reader, hour, windows)
            self._counts[hour] = counted_of, count
        return count

    def _users_of(self, hour: int) -> HourUsers:
        oldest = hour_of(self._clock()) - HOUR_MS
        self._current = {one: users for one, users in self._current.items() if one >= oldest}
        return self._current.setdefault(hour, HourUsers()) if hour >= oldest else HourUsers()
