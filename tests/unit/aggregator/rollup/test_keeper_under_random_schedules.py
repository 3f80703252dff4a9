"""Keepers that stall before they write, beside workers that commit late, over a store that writes as it likes.

A stalled keeper is one whose write lands at any later time, in part, over whatever stands by then.
"""
# ruff: noqa: SLF001 - rules are broken by patching, inside what is private

import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest

from aggregator.rollup import keeper as keeper_module
from aggregator.rollup.keeper import WIDE, Keeper, Pace
from aggregator.rollup.known import KnownHours
from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS, hour_of
from contract.log.event_names import BUSINESS_EVENTS
from contract.log.progress import LogPartition
from contract.windows.rollup import Fields, Mark
from stores.memory_rollup import MemoryRollup
from support.fixtures.aggregator import AggregatorFixture, click

SEEDS: Final = range(120)
STEPS: Final = 60
PARTITIONS: Final = 2
RECENT: Final = timedelta(hours=48)
AGES: Final = (0, 0, 1, 2, 30, 100, 400)
"""Hours: how late actions are."""


class HostileRollup(MemoryRollup):
    """Its writes are applied late, twice, in part, or never; and things happen before each answer."""

    def __init__(self, simulation: "Simulation") -> None:
        super().__init__(simulation.store)
        self._simulation = simulation
        self._late: list[tuple[int, dict[str, int | bool]]] = []

    async def read_marks(self, first: int, end: int) -> dict[int, Mark]:
        await self._simulation.happen()
        return await super().read_marks(first, end)

    async def read_points(self, first: int, end: int) -> dict[int, Fields]:
        await self._simulation.happen()
        return await super().read_points(first, end)

    async def write_points(self, points: Mapping[int, Fields]) -> None:
        await self._simulation.happen()
        if self._simulation.calm:
            await super().write_points(points)
            return
        certain = True
        for hour, fields in points.items():
            certain &= await self._write(hour, dict(fields))
        if not certain:
            raise StoreUnavailable("the answer was lost")

    async def _write(self, hour: int, fields: dict[str, int | bool]) -> bool:
        random = self._simulation.random
        fate = random.choice(("stored", "stored", "stored", "twice", "late", "in part"))
        if fate in ("twice", "late"):
            self._late.append((hour, dict(fields)))
        if fate == "in part":
            later = {name: fields.pop(name) for name in list(fields) if random.random() < 0.5}
            self._late.append((hour, later))
        if fate != "late":
            await super().write_points({hour: fields})
        return fate in ("stored", "twice")

    async def land(self) -> None:
        """One of the writes that are on their way arrives."""
        if self._late:
            hour, fields = self._late.pop(self._simulation.random.randrange(len(self._late)))
            await super().write_points({hour: fields})


class Simulation(AggregatorFixture):
    """Producers, workers, and keepers that may be cut off in any round."""

    def __init__(self, seed: int) -> None:
        super().__init__(PARTITIONS)
        self.random = Random(seed)
        self.calm = False
        self._busy = False
        self.rollup = HostileRollup(self)
        self.keepers = [self._keeper() for _ in range(self.random.randint(1, 3))]
        self._flushing: dict[LogPartition, AsyncIterator[None]] = {}

    def _keeper(self) -> Keeper:
        pace = Pace(RECENT, timedelta(seconds=1), timedelta(seconds=5), (*BUSINESS_EVENTS, "signup"))
        return Keeper(self.rollup, self.reader(), self.clock, pace)

    async def happen(self) -> None:
        """Something, unless it is calm."""
        if self.calm or self._busy:
            return
        self._busy = True
        self.now += self.random.choice((0, 200, 1_000, 3_000))
        for _ in range(self.random.randint(0, 2)):
            await self.random.choices((self._produce, self._flush_step, self.rollup.land), (2, 4, 2))[0]()
        self._busy = False

    async def step(self) -> None:
        if self.random.random() < 0.05:
            self.now += HOUR_MS
        if self.random.random() < 0.05:
            self.keepers[0] = self._keeper()
        with contextlib.suppress(StoreUnavailable):
            await self.random.choice(self.keepers).round()

    async def _produce(self) -> None:
        partition = self.random.randrange(PARTITIONS)
        hour = hour_of(self.now) - self.random.choice(AGES) * HOUR_MS
        user, event = f"user-{self.random.randrange(6)}-{partition}", self.random.choice(("click", "signup"))
        self.append(partition, click(user, hour=hour, event=event))

    async def _flush_step(self) -> None:
        source = LogPartition(self.end_offsets.log, self.random.randrange(PARTITIONS))
        flush = self._flushing.setdefault(source, self.flush(source))
        if await anext(flush, "over") == "over":
            del self._flushing[source]

    async def expected(self) -> dict[int, dict[str, int]]:
        """The numbers of each hour, by a count of its own of what is committed."""
        progress = await self.store.read_progress()
        users, counts = defaultdict(set), defaultdict(Counter)
        for source, counted in progress.items():
            for record in self.records[source][: counted.through_offset + 1]:
                for action in record.actions:
                    users[hour_of(action.timestamp)].add(action.user)
                    counts[hour_of(action.timestamp)][action.event] += 1
        return {
            hour: {
                "clicks": of["click"],
                "impressions": 0,
                "actions": of.total(),
                "unique_users": len(users[hour]),
            }
            | ({"count_signup": of["signup"]} if of["signup"] else {})
            for hour, of in counts.items()
        }

    def numbers(self) -> dict[int, dict[str, Any]]:
        """What stands, without promises and without what is zero."""
        return {
            hour: numbers
            for hour, fields in self.rollup.points.items()
            if (numbers := {name: value for name, value in fields.items() if name not in ("final", "complete_through")})
            and numbers.get("actions")
        }


def only(numbers: Mapping[int, Any], first: int) -> dict[int, Any]:
    return {hour: fields for hour, fields in numbers.items() if hour >= first}


async def wrong(seed: int) -> str | None:
    """What is wrong once one keeper, whichever it is, goes on alone."""
    simulation = Simulation(seed)
    for _ in range(STEPS):
        await simulation.step()
    simulation.calm = True
    keeper = simulation.random.choice(simulation.keepers)
    expected = await simulation.expected()
    for _ in range(WIDE):
        await keeper.round()
    recent = hour_of(simulation.now) - int(RECENT.total_seconds()) * 1000
    if only(simulation.numbers(), recent) != only(expected, recent):
        return f"after some rounds: {simulation.numbers()}, not {expected}"
    sweeps = keeper.sweeps
    while keeper.sweeps < sweeps + 2:
        simulation.now += 1_000
        await keeper.round()
    if simulation.numbers() != expected:
        return f"after a sweep: {simulation.numbers()}, not {expected}"
    promised = [fields["complete_through"] for fields in simulation.rollup.points.values() if fields.get("actions")]
    return None if all(through <= simulation.now for through in promised) else f"promised: {promised}"


@pytest.mark.parametrize("lot", [SEEDS[:60], SEEDS[60:]])
async def test_whoever_goes_on_alone_repairs_what_any_keeper_wrote(lot: range) -> None:
    for seed in lot:
        assert await wrong(seed) is None, f"seed {seed}"


def sweep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sweep(keeper: Keeper, *_: object) -> int:
        keeper.sweeps += 1
        return 0

    monkeypatch.setattr(Keeper, "_sweep", sweep)


def settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_due(known: KnownHours, hour: int, mark: Mark) -> bool:
        return getattr(known._known.get(hour), "mark", None) != mark

    monkeypatch.setattr(KnownHours, "_is_due", is_due)


def compare_one_field(monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(_hour: int, should: Fields, stands: Fields, _renewal: timedelta) -> Fields | None:
        return None if stands.get("clicks") == should["clicks"] else should

    monkeypatch.setattr(keeper_module, "repair", compare)


def trust_own_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Keeper._write, WeakKeyDictionary[Keeper, dict[int, Fields]]()

    async def write_what_changed(keeper: Keeper, should: Mapping[int, Fields], stands: Mapping[int, Fields]) -> int:
        mine = written.setdefault(keeper, {})
        changed = {hour: fields for hour, fields in should.items() if mine.get(hour) != fields}
        number = await write(keeper, changed, stands)
        mine.update(changed)
        return number

    monkeypatch.setattr(Keeper, "_write", write_what_changed)


@pytest.mark.parametrize("break_rule", [sweep_nothing, settle_at_once, compare_one_field, trust_own_writes])
async def test_each_rule_is_needed(
    break_rule: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rule(monkeypatch)

    for seed in SEEDS:
        if await wrong(seed) is not None:
            return
    pytest.fail("no seed shows it")
