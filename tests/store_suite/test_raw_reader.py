"""What every store promises to those who read raw actions back, in each way to store them."""

import random

import pytest

from contract.hour import HOUR_MS, hour_of
from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.store import RawActions, Store, StoredAction
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from stores.raw.settings import RawStorage
from support.stores.subject import RAW, now

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
OTHER = LogPartition("-_Tz1x8yQ4u0sK0XfJ2c9A", 3)
LAP = 1_000_000

every_way = pytest.mark.parametrize("settings_or_none", RAW, indirect=True)


async def read(store: Store, hour: int, source: LogPartition = SOURCE) -> list[StoredAction]:
    """In the order of the lines."""
    return sorted([one async for some in store.stream_actions(hour, source) for one in some], key=lambda one: one.line)


def numbered(first: int, lines: list[Action | None], hour: int) -> list[StoredAction]:
    """What is to be read of an hour."""
    found = enumerate(lines, first)
    return [StoredAction(number, line) for number, line in found if line and hour_of(line.timestamp) == hour]


@every_way
async def test_an_hour_of_a_partition_is_read_and_nothing_else(store: Store) -> None:
    this = hour_of(now())
    lines: list[Action | None] = [
        Action(hour + at, f"user-{at}", "click" if at % 3 else "odd_event", f"id-{at}" if at % 2 else None)
        for at in range(40)
        for hour in (this, this - HOUR_MS, this + HOUR_MS - 40)
    ]
    lines[7:7] = [None, None]
    await store.write_actions([RawActions(SOURCE, LAP - 50, lines), RawActions(OTHER, 0, lines[:9])])

    for hour in (this - HOUR_MS, this, this + HOUR_MS):
        assert await read(store, hour) == numbered(LAP - 50, lines, hour)
        assert await read(store, hour, OTHER) == numbered(0, lines[:9], hour)
    assert await read(store, this, LogPartition(SOURCE.log, 4)) == []


@every_way
async def test_lines_that_were_stored_several_times_in_other_pieces_are_read_once(store: Store) -> None:
    this, rng = hour_of(now()), random.Random(7)
    lines: list[Action | None] = [
        Action(this - rng.choice([0, 0, 0, HOUR_MS]) + at % 1_000, f"user-{at % 300}", "click") for at in range(12_000)
    ]
    whole = [RawActions(SOURCE, 0, lines)]
    for _ in range(12):
        first = rng.randrange(len(lines))
        whole.append(RawActions(SOURCE, first, lines[first : first + rng.randrange(1, 6_000)]))
    # The longest first: what comes later is shorter, and takes nothing away.
    for batch in whole:
        await store.write_actions([batch])

    assert await read(store, this) == numbered(0, lines, this)
    assert await read(store, this - HOUR_MS) == numbered(0, lines, this - HOUR_MS)


@every_way
async def test_a_shorter_run_of_the_same_start_that_arrives_late_takes_nothing_away(store: Store) -> None:
    this = hour_of(now())
    lines: list[Action | None] = [Action(this + at, f"user-{at}", "click") for at in range(3_000)]
    for length in (2_000, 3_000, 1_000):
        await store.write_actions([RawActions(SOURCE, 0, lines[:length])])

    assert await read(store, this) == numbered(0, lines, this)


async def test_a_line_is_read_once_where_the_way_to_store_it_changed_between_replays(influx1: InfluxSettings) -> None:
    this = hour_of(now())
    lines: list[Action | None] = [Action(this + at // 9, f"user-{at}", "click" if at % 2 else "e") for at in range(99)]
    ways = [
        (RawStorage.POINTS, {"click", "e"}, lines[:60]),
        (RawStorage.PACKED, {"click", "e"}, lines[:30]),
        # What its settings do not name has another tag.
        (RawStorage.POINTS, {"click"}, lines),
    ]
    for storage, events, some in ways:
        writer = InfluxStore(influx1.model_copy(update={"raw_storage": storage}), now, events)
        await writer.write_actions([RawActions(SOURCE, 0, some)])
        await writer.close()

    reader = InfluxStore(influx1, now)
    assert await read(reader, this) == numbered(0, lines, this)
    await reader.close()
