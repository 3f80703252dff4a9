"""The hours' points beside a store in memory: the fake for tests, which passes the same suite as InfluxDB."""

from collections.abc import Mapping

from contract.windows.rollup import Fields, Mark
from stores.memory import MemoryStore


class MemoryRollup:
    """Implements contract.windows.rollup.RollupStore."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.points: dict[int, Fields] = {}

    async def read_marks(self, first: int, end: int) -> dict[int, Mark]:
        hours = {hour for _, hour, _ in self._store.windows if first <= hour < end}
        return {hour: self._mark(hour) for hour in hours}

    async def next_hour(self, first: int) -> int | None:
        return min((hour for _, hour, _ in self._store.windows if hour >= first), default=None)

    async def read_points(self, first: int, end: int) -> dict[int, Fields]:
        return {hour: fields for hour, fields in self.points.items() if first <= hour < end}

    async def write_points(self, points: Mapping[int, Fields]) -> None:
        for hour, fields in points.items():
            self.points[hour] = {**self.points.get(hour, {}), **fields}

    def _mark(self, hour: int) -> Mark:
        values = [value for (_, of, _), value in self._store.windows.items() if of == hour]
        users = sum(value.unique_users for value in values)
        return len(values), users, *self._sums([value.counts for value in values])

    @staticmethod
    def _sums(all_counts: list[dict[str, int]]) -> list[int]:
        events = sorted({event for counts in all_counts for event in counts})
        return [sum(counts.get(event, 0) for counts in all_counts) for event in events]
