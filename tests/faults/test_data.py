"""Whatever a record holds, whenever its actions were and whoever wrote it: each action counts once, in its hour."""

import random
from collections.abc import Iterator
from itertools import count, islice

import pytest

from support.faults.foreign_producer import CODECS, ForeignProducer, partition_of
from support.scenarios.environment import PARTITIONS, Environment
from support.scenarios.ledger import HOUR_MS, Action
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults

POISON = (
    b"",
    b"poison",
    b"[]",
    b"null",
    b"\x00",
    b"\xff\xfe bad UTF-8",
    b'{"timestamp":1,"user":"\xc3","event":"click","id":"1"}',
    b'{"timestamp":1}',
    b'{"timestamp":1,"user":"ada","event":"click","id":"1"',
    b"{" * 1_000,
)
MEGABYTE = b'{"timestamp":1,"event":"click","id":"1","user":"' + b"x" * 1_048_000 + b'"}'
LONG_LINE = MEGABYTE[:400_000]
DAY_IN_1997 = 868_060_800_000
"""1997-07-05T00:00Z."""


class SyntheticActions:
    """Actions of named kinds; each has an id of its own."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._ids = count()
        self._rng = random.Random(51)

    def action(self, timestamp: int, user: str | None = None) -> Action:
        number = next(self._ids)
        return {
            "timestamp": timestamp,
            "user": user or f"user-{number % 500}",
            "event": self._rng.choice(["click", "impression"]),
            "id": f"d{number}",
        }

    def in_one_millisecond(self, number: int) -> list[Action]:
        return [self.action(self.now) for _ in range(number)]

    def around_boundaries(self) -> list[Action]:
        hours = [HOUR_MS, DAY_IN_1997, self.now // HOUR_MS * HOUR_MS]
        return [self.action(hour + off) for hour in hours for off in (-1, 0, 1) for _ in range(20)]

    def of_far_hours(self) -> list[Action]:
        times = [0, 1, HOUR_MS - 1, DAY_IN_1997, DAY_IN_1997 + 5, self.now + 59 * 60_000]
        return [self.action(time) for time in times for _ in range(20)]

    def of_hours(self, number: int) -> list[Action]:
        return [self.action(self.now - hour * HOUR_MS) for hour in range(number)]

    def of_one_user(self, number: int) -> list[Action]:
        return [self.action(self.now, "busy") for _ in range(number)]

    def of_one_partition(self, number: int) -> list[Action]:
        return [self.action(self.now, user) for user in islice(living_on(3), number)]


def living_on(partition: int) -> Iterator[str]:
    return (user for number in count() if partition_of(user := f"hot-{number}", PARTITIONS) == partition)


async def test_poison_and_every_codec_from_a_foreign_producer(environment: Environment, scenario: Scenario) -> None:
    synthetic_actions = SyntheticActions(scenario.now)
    victim, _ = environment.start_worker(), environment.start_worker()
    async with scenario.traffic(seed=51):
        await scenario.counted(1_000)
        for number, codec in enumerate(CODECS):
            foreign = ForeignProducer(environment.bootstrap, environment.topic, scenario.ledger, codec)
            for partition in range(PARTITIONS):
                # Without a header users are told apart over partitions too: these live on two of them.
                foreign.append(synthetic_actions.in_one_millisecond(10), partition, between=POISON)
                foreign.append_value(POISON[(number + partition) % len(POISON)], partition)
                foreign.append(synthetic_actions.of_far_hours(), partition)
            foreign.append_value(None, number)
            foreign.append_value(b"", number)
            foreign.append_value(MEGABYTE, number)
            foreign.append(synthetic_actions.in_one_millisecond(2), number, between=[LONG_LINE])
            if number == 2:
                victim.kill()
                environment.start_worker()
        await scenario.recovered("poison in every codec, a worker killed meanwhile")
        await scenario.counted(1_000)
    assert await scenario.verdict() == []


async def test_far_hours_boundaries_one_millisecond_many_hours_a_busy_user_and_a_hot_partition(
    environment: Environment, scenario: Scenario
) -> None:
    synthetic_actions = SyntheticActions(scenario.now)
    victim, _ = environment.start_worker(), environment.start_worker()
    async with scenario.monitored():
        await scenario.send(synthetic_actions.around_boundaries())
        await scenario.send(synthetic_actions.of_far_hours())
        await scenario.send(synthetic_actions.in_one_millisecond(5_000))
        await scenario.send(synthetic_actions.of_hours(500), batch=500)
        await scenario.send(synthetic_actions.of_one_user(50_000), batch=10_000)
        victim.kill()
        environment.start_worker()
        await scenario.send(synthetic_actions.of_one_user(50_000), batch=10_000)
        await scenario.send(synthetic_actions.of_one_partition(20_000), batch=10_000)
        await scenario.recovered("100,000 actions of a user, a hot partition, 500 hours in a batch, a worker killed")
    assert await scenario.verdict() == []
