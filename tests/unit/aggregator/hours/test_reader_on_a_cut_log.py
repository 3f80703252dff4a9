"""A log that ends below its progress promises nothing: what is acknowledged there is counted by nobody."""

from aggregator.end_offsets.port import FakeEndOffsets, LogEndOffsets
from aggregator.hours.completeness import UNKNOWN
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


class LateLogEnds(FakeEndOffsets):
    """Its first answer is older than what was counted since."""

    def __init__(self, fixture: AggregatorFixture) -> None:
        super().__init__()
        self._world = fixture

    async def read(self) -> LogEndOffsets:
        self.reads += 1
        if self.reads == 1:
            return LogEndOffsets(self._world.end_offsets.log, {0: 1, 1: 0})
        return await self._world.end_offsets.read()


async def counted_world() -> AggregatorFixture:
    fixture = AggregatorFixture(partitions=2)
    for user in ("ada", "bob", "eve"):
        fixture.append(0, click(user))
    await fixture.count()
    return fixture


async def test_where_the_log_was_cut_below_its_progress_nothing_is_complete() -> None:
    fixture = await counted_world()
    fixture.end_offsets.by_partition[0] = 2

    answer = await fixture.reader().read(HOUR)

    assert answer.totals.counts == {"click": 3}
    assert answer.completeness == UNKNOWN


async def test_a_look_that_is_older_than_what_was_counted_holds() -> None:
    fixture = await counted_world()
    fixture.now += 1
    end_offsets = LateLogEnds(fixture)

    answer = await fixture.reader(end_offsets=end_offsets).read(HOUR)

    assert (answer.completeness.complete_through, answer.completeness.lag) == (fixture.now, 0)
    assert end_offsets.reads == 2


async def test_where_kafka_is_away_for_the_second_look_nothing_is_complete() -> None:
    fixture = await counted_world()
    reader = fixture.reader()
    fixture.end_offsets.by_partition[0] = 2
    await reader.read(HOUR)
    fixture.end_offsets.unavailable_reason = "away"

    answer = await reader.read(HOUR)

    assert answer.completeness == UNKNOWN
