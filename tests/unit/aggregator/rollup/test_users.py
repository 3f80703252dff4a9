from aggregator.rollup.users import RememberedUsers
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


class CountingStore(MemoryStore):
    """Counts how often segments are read."""

    reads = 0

    async def read_segments(self, hour: int, source: LogPartition, window: WindowValue) -> list[Segment]:
        self.reads += 1
        return await super().read_segments(hour, source, window)


async def counted(fixture: AggregatorFixture, store: CountingStore, users: RememberedUsers) -> int:
    for partition in range(fixture.partitions):
        await fixture.count(partition)
    (answer,) = await fixture.reader(store).read_hours([HOUR], users)
    return answer.totals.unique_users


def shared() -> tuple[AggregatorFixture, CountingStore]:
    """An hour whose windows share a user."""
    fixture, store = AggregatorFixture(partitions=2), CountingStore()
    fixture.store = store
    fixture.append(0, click("ada"), click("bob"), header=0)
    fixture.append(1, click("ada"))
    return fixture, store


async def test_users_of_an_hour_that_stands_still_are_read_once() -> None:
    fixture, store = shared()
    users = RememberedUsers(fixture.clock)

    assert [await counted(fixture, store, users) for _ in range(3)] == [2, 2, 2]
    assert store.reads == 2


async def test_users_that_come_later_are_added() -> None:
    for age in (0, 5 * HOUR_MS):
        fixture, store = shared()
        fixture.now = HOUR + age
        users = RememberedUsers(fixture.clock)
        before = await counted(fixture, store, users)
        fixture.append(1, click("eve"), click("bob"))

        assert (before, await counted(fixture, store, users)) == (2, 3)
