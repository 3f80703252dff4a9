from datetime import timedelta

import msgspec

from aggregator.rollup.keeper import WIDE, Keeper, Pace
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.store import WindowPoint
from contract.windows.rollup import Fields
from contract.windows.window_value import WindowValue
from stores.memory_rollup import MemoryRollup
from support.fixtures.aggregator import HOUR, AggregatorFixture, click

MARGIN = timedelta(seconds=5)
SECOND = timedelta(seconds=1)
DAY = 24 * HOUR_MS


class RollupFixture(AggregatorFixture):
    """An aggregator's surroundings, and the points that a keeper keeps there."""

    def __init__(self, partitions: int = 1) -> None:
        super().__init__(partitions)
        self.rollup = MemoryRollup(self.store)

    @property
    def points(self) -> dict[int, Fields]:
        return self.rollup.points

    def keeper(self, recent: timedelta = timedelta(days=31)) -> Keeper:
        pace = Pace(recent, SECOND, MARGIN)
        return Keeper(self.rollup, self.reader(), self.clock, pace)

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    async def rounds(self, keeper: Keeper, number: int) -> int:
        """So many rounds, a second apart; returns how many points were written."""
        written = 0
        for _ in range(number):
            self.pass_seconds(1)
            written += await keeper.round()
        return written


def damaged(fixture: RollupFixture, hour: int) -> None:
    fixture.points[hour] = {**fixture.points[hour], "clicks": 77, "complete_through": hour}


async def test_an_hour_that_is_counted_gets_its_point_in_the_next_round() -> None:
    fixture = RollupFixture(partitions=2)
    keeper = fixture.keeper()
    fixture.append(0, click("ada"), click("bob", event="impression"))
    fixture.append(1, click("eve"))
    await fixture.count(0)
    await fixture.count(1)

    await keeper.round()

    assert fixture.points == {
        HOUR: {
            "clicks": 2,
            "impressions": 1,
            "unique_users": 3,
            "actions": 3,
            "final": False,
            "complete_through": fixture.now,
        }
    }


async def test_an_hour_without_actions_has_no_point() -> None:
    fixture = RollupFixture()

    assert await fixture.rounds(fixture.keeper(), 3) == 0
    assert fixture.points == {}


async def test_a_value_counts_from_its_commit_on_which_changes_no_mark() -> None:
    fixture = RollupFixture()
    late = HOUR - 5 * HOUR_MS
    keeper = fixture.keeper()
    await fixture.rounds(keeper, 1)
    fixture.append(0, click("ada", hour=late))
    steps = fixture.flush(LogPartition("log-1", 0))
    await anext(steps)
    await anext(steps)
    await fixture.rounds(keeper, 30)
    before = fixture.points[late]["clicks"]
    await anext(steps)

    await fixture.rounds(keeper, WIDE)

    assert (before, fixture.points[late]["clicks"]) == (0, 1)


async def test_the_current_hour_is_written_at_most_once_a_renewal_and_a_final_one_no_more() -> None:
    fixture = RollupFixture()
    keeper = fixture.keeper()
    fixture.append(0, click("ada"))
    await fixture.count()
    written = []
    for _ in range(10):
        fixture.pass_seconds(0.5)
        written.append(await keeper.round())
    fixture.now = HOUR + HOUR_MS + 60_000
    await fixture.rounds(keeper, 2)

    assert sum(written) == 5
    assert fixture.points[HOUR]["final"] is True
    assert await fixture.rounds(keeper, 100) == 0


async def test_a_stale_write_stands_until_its_hour_is_compared_whoever_wrote_it() -> None:
    fixture = RollupFixture()
    fixture.append(0, click("ada"))
    await fixture.count()
    fixture.now = HOUR + 2 * DAY
    keeper = fixture.keeper()
    await fixture.rounds(keeper, 20)
    right = fixture.points[HOUR]
    damaged(fixture, HOUR)

    assert await fixture.rounds(keeper, WIDE) == 1
    assert fixture.points[HOUR] == {**right, "complete_through": fixture.points[HOUR]["complete_through"]}
    assert fixture.points[HOUR]["complete_through"] >= HOUR + HOUR_MS


async def test_numbers_that_a_rebuild_lowered_are_lowered() -> None:
    fixture = RollupFixture()
    fixture.append(0, click("ada"), click("bob"))
    await fixture.count()
    keeper = fixture.keeper()
    await fixture.rounds(keeper, 1)
    source, through = LogPartition("log-1", 0), 0
    value = WindowValue(through, {"click": 1}, 0, 1, 1, 1, generation=3)
    await fixture.store.write_windows([WindowPoint(source, HOUR, 9, value)], [])

    await fixture.rounds(keeper, 1)

    assert (fixture.points[HOUR]["clicks"], fixture.points[HOUR]["unique_users"]) == (1, 1)


async def test_hours_of_any_age_are_compared_in_turn() -> None:
    fixture = RollupFixture()
    ages = [400 * DAY, 200 * DAY, 40 * DAY, 0]
    hours = [HOUR - age for age in ages]
    for hour in hours:
        fixture.append(0, click("ada", hour=hour))
    await fixture.count()
    keeper = fixture.keeper(recent=timedelta(days=2))
    await fixture.rounds(keeper, WIDE * (len(hours) + 1))
    for hour in hours:
        assert fixture.points[hour]["clicks"] == 1
        damaged(fixture, hour)

    await fixture.rounds(keeper, WIDE * (len(hours) + 2))

    assert [fixture.points[hour]["clicks"] for hour in hours] == [1, 1, 1, 1]


async def test_what_no_mark_tells_is_found_in_turn() -> None:
    fixture = RollupFixture()
    fixture.append(0, click("ada"))
    await fixture.count()
    fixture.now = HOUR + 2 * DAY
    keeper = fixture.keeper()
    await fixture.rounds(keeper, 20)
    ((key, value),) = fixture.store.windows.items()
    fixture.store.windows[key] = msgspec.structs.replace(value, counts={"impression": 1})
    sweeps = keeper.sweeps

    while keeper.sweeps < sweeps + 2:
        await fixture.rounds(keeper, 1)

    assert (fixture.points[HOUR]["clicks"], fixture.points[HOUR]["impressions"]) == (0, 1)


async def test_with_kafka_away_numbers_are_kept_right_and_what_was_promised_stays() -> None:
    fixture = RollupFixture()
    fixture.append(0, click("ada"))
    await fixture.count()
    keeper = fixture.keeper()
    await fixture.rounds(keeper, 1)
    promised = fixture.points[HOUR]["complete_through"]
    fixture.end_offsets.unavailable_reason = "away"
    fixture.append(0, click("bob"))
    await fixture.count()

    await fixture.rounds(keeper, 3)

    point = fixture.points[HOUR]
    assert (point["clicks"], point["complete_through"], point["final"]) == (2, promised, False)


async def test_the_current_hour_does_not_wait_behind_those_that_a_keeper_does_not_know_yet() -> None:
    fixture = RollupFixture()
    for age in range(300):
        fixture.append(0, click("ada", hour=HOUR - age * HOUR_MS))
    await fixture.count()
    keeper = fixture.keeper()
    for bobs in range(3):
        fixture.append(0, click("bob"))
        await fixture.count()
        await fixture.rounds(keeper, 1)

        assert fixture.points[HOUR]["clicks"] == bobs + 2

    await fixture.rounds(keeper, WIDE * 10)
    assert len(fixture.points) == 300
