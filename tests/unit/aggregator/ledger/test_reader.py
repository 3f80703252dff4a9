"""The ledger: where each line went, and whether that adds up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from aggregator.app import create_app
from aggregator.end_offsets.cache import CacheLimits, EndOffsetsCache
from aggregator.ledger.reader import LedgerReader
from aggregator.metrics import Metrics
from aggregator.settings import AggregatorSettings
from contract.errors import StateUnreadable, StoreError, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, WindowPoint
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click


@asynccontextmanager
async def serving(
    fixture: AggregatorFixture, store: MemoryStore | None = None, settings: AggregatorSettings | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings or AggregatorSettings(), store or fixture.store, fixture.end_offsets, fixture.clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def ledger_of(fixture: AggregatorFixture, store: MemoryStore | None = None) -> dict[str, Any]:
    async with serving(fixture, store) as client:
        answer = await client.get("/v1/ledger")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


async def change_progress(fixture: AggregatorFixture, partition: int, **changed: object) -> None:
    """Rewrites the partition's progress."""
    source = LogPartition(fixture.end_offsets.log, partition)
    before = (await fixture.store.read_progress(source))[source]
    for key in [key for key in fixture.store.progress if key[0] == source]:
        fixture.store.progress[key] = msgspec.structs.replace(before, **changed)


async def busy_world() -> AggregatorFixture:
    """Two partitions; lines of three hours, duplicates, rejected and lost ones; one record is not read yet."""
    fixture = AggregatorFixture(partitions=2)
    again = click("a", action_id="1")
    for hour in (HOUR, HOUR - HOUR_MS, HOUR - 5_000 * HOUR_MS):
        fixture.append(0, click("a", hour=hour), click("a", hour=hour, event="view"))
    fixture.append(0, again, again, again)
    fixture.append(1, click("b"))
    await fixture.count(0)
    await fixture.count(1)
    await change_progress(fixture, 1, lines=11, rejected={"not_json": 3, "event_missing": 1}, lost=6)
    fixture.append(1, click("b"))
    return fixture


async def test_each_line_is_counted_a_duplicate_rejected_or_lost_and_the_unread_stand_apart() -> None:
    ledger = await ledger_of(await busy_world())

    first, second = ledger["partitions"]
    assert first == {
        "log": "log-1",
        "partition": 0,
        "through_offset": 3,
        "lines": 9,
        "counted": 7,
        "duplicates": 2,
        "rejected": {},
        "lost": 0,
        "unread": 0,
        "balanced": True,
        "in_flight": False,
    }
    assert (second["lines"], second["counted"], second["lost"], second["unread"]) == (11, 1, 6, 1)
    assert ledger["totals"] == {
        "lines": 20,
        "counted": 8,
        "duplicates": 2,
        "rejected": {"event_missing": 1, "not_json": 3},
        "lost": 6,
        "unread": 1,
    }
    assert (ledger["log"], ledger["balanced"]) == ("log-1", True)


@pytest.mark.parametrize("wrong", [{"counts": {"click": 2}}, {"duplicates": 1}, {"duplicates": 3}], ids=str)
async def test_a_window_that_holds_a_wrong_number_unbalances_its_partition(wrong: dict[str, Any]) -> None:
    fixture = await busy_world()
    source = LogPartition("log-1", 0)
    (point,) = await fixture.store.read_windows(HOUR, source)
    await fixture.store.write_windows([point._replace(value=msgspec.structs.replace(point.value, **wrong))], [])

    ledger = await ledger_of(fixture)

    assert [one["balanced"] for one in ledger["partitions"]] == [False, True]
    assert ledger["balanced"] is False


@pytest.mark.parametrize("wrong", [{"lines": 10}, {"lines": 12}, {"lost": 5}, {"rejected": {"not_json": 3}}], ids=str)
async def test_progress_that_holds_a_wrong_number_unbalances_its_partition(wrong: dict[str, Any]) -> None:
    fixture = await busy_world()
    await change_progress(fixture, 1, **wrong)

    ledger = await ledger_of(fixture)

    assert [one["balanced"] for one in ledger["partitions"]] == [True, False]


async def test_values_above_progress_are_not_counted() -> None:
    fixture = await busy_world()
    source = LogPartition("log-1", 1)
    async for _ in fixture.flush(source):
        break
    (point,) = await fixture.store.read_windows(HOUR, source)
    ahead = msgspec.structs.replace(point.value, through_offset=1, counts={"click": 2})
    await fixture.store.write_windows([WindowPoint(source, HOUR, 0, ahead)], [])

    assert (await ledger_of(fixture))["balanced"] is True


async def test_a_partition_that_nobody_counted_is_all_unread() -> None:
    fixture = AggregatorFixture(partitions=1)
    fixture.append(0, click("a"))

    (partition,) = (await ledger_of(fixture))["partitions"]

    assert (partition["through_offset"], partition["lines"], partition["unread"]) == (-1, 0, 1)
    assert partition["balanced"] is True


class MovingStore(MemoryStore):
    """A store whose partition 1 is counted on during each of its first readings of windows."""

    def __init__(self, fixture: AggregatorFixture, times: int) -> None:
        super().__init__()
        self.windows, self.progress = fixture.store.windows, fixture.store.progress
        self._world, self._times = fixture, times

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        async for points in super().stream_windows(first, end, source):
            yield points
        if self._times and source == LogPartition("log-1", 1):
            self._times -= 1
            self._world.append(1, click("c"))
            await self._world.count(1)


async def test_a_partition_that_is_counted_on_all_the_while_is_in_flight_and_not_judged() -> None:
    fixture = await busy_world()

    ledger = await ledger_of(fixture, MovingStore(fixture, 100))

    still, moving = ledger["partitions"]
    assert (still["balanced"], still["in_flight"]) == (True, False)
    assert (moving["balanced"], moving["in_flight"], moving["counted"], moving["duplicates"]) == (
        None,
        True,
        None,
        None,
    )
    assert (ledger["balanced"], ledger["totals"]["counted"], ledger["totals"]["duplicates"]) == (None, None, None)


async def test_a_partition_that_stands_still_after_all_is_judged() -> None:
    fixture = await busy_world()

    ledger = await ledger_of(fixture, MovingStore(fixture, 2))

    assert [one["balanced"] for one in ledger["partitions"]] == [True, True]
    assert ledger["totals"]["unread"] == 0


async def test_what_is_out_of_balance_is_told_whatever_is_in_flight() -> None:
    fixture = await busy_world()
    await change_progress(fixture, 0, lines=8)

    assert (await ledger_of(fixture, MovingStore(fixture, 100)))["balanced"] is False


async def test_old_logs_are_not_in_the_current_logs_books() -> None:
    fixture = await busy_world()
    await change_progress(fixture, 0, lines=8)
    fixture.create_again("log-2", 1)

    ledger = await ledger_of(fixture)

    assert [(one["log"], one["partition"]) for one in ledger["partitions"]] == [("log-2", 0)]


async def test_while_kafka_is_away_all_logs_are_listed_and_nobody_knows_what_is_unread() -> None:
    fixture = await busy_world()
    await fixture.store.write_progress([ProgressPoint(LogPartition("log-0", 5), 1, Progress())])
    fixture.end_offsets.unavailable_reason = "away"

    ledger = await ledger_of(fixture)

    assert ledger["log"] is None
    assert [(one["log"], one["partition"]) for one in ledger["partitions"]] == [
        ("log-0", 5),
        ("log-1", 0),
        ("log-1", 1),
    ]
    assert {one["unread"] for one in ledger["partitions"]} == {ledger["totals"]["unread"]} == {None}
    assert ledger["balanced"] is True


class FailingStore(MemoryStore):
    """A store that cannot read windows."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self._error = error

    async def stream_windows(self, *_: object) -> AsyncIterator[Sequence[WindowPoint]]:
        if self._error is None:
            await asyncio.Event().wait()
        raise self._error or AssertionError
        yield []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreUnavailable("down", reason="connect"), 503, "store_unavailable"),
        (None, 503, "store_unavailable"),
        (StateUnreadable("damaged"), 500, "state_unreadable"),
    ],
    ids=["down", "silent", "damaged"],
)
async def test_a_store_that_cannot_be_read_gives_no_ledger(error: StoreError | None, status: int, code: str) -> None:
    settings = AggregatorSettings(aggregator_store_timeout="PT0.05S")
    async with serving(AggregatorFixture(), FailingStore(error), settings) as client:
        answer = await client.get("/v1/ledger")
        metrics = (await client.get("/metrics")).text

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "collector_aggregator_store_errors_total{" in metrics


def reader_of(fixture: AggregatorFixture, store: MemoryStore) -> LedgerReader:
    settings, metrics = AggregatorSettings(), Metrics()
    limits = CacheLimits(
        settings.aggregator_ends_max_age, settings.aggregator_kafka_timeout, settings.aggregator_kafka_retry
    )
    end_offsets = EndOffsetsCache(fixture.end_offsets, fixture.clock, metrics, limits=limits)
    return LedgerReader(store, end_offsets, metrics, settings)


async def test_who_asks_while_it_is_read_gets_that_ledger() -> None:
    fixture = await busy_world()
    store = PausableStore(fixture)
    reader = reader_of(fixture, store)
    first = asyncio.create_task(reader.read())
    await store.asked.wait()
    others = asyncio.gather(*(reader.read() for _ in range(5)))
    first.cancel()
    store.let.set()

    answers = await others
    assert {id(answer) for answer in answers} == {id(answers[0])}
    assert store.readings == 2
    await reader.read()
    assert store.readings == 2
    await reader.read(fresh=True)
    assert store.readings == 4


async def test_what_changed_behind_our_back_is_seen_by_who_asks_for_a_fresh_reading() -> None:
    fixture = await busy_world()
    async with serving(fixture) as client:
        assert (await client.get("/v1/ledger")).json()["balanced"] is True
        (point,) = await fixture.store.read_windows(HOUR, LogPartition("log-1", 0))
        damaged = msgspec.structs.replace(point.value, duplicates=0)
        await fixture.store.write_windows([point._replace(value=damaged)], [])
        answer = await client.get("/v1/ledger", headers={"Cache-Control": "no-cache"})
    assert answer.json()["balanced"] is False


class PausableStore(MemoryStore):
    """A store that answers when it is let; it counts its readings of windows."""

    def __init__(self, fixture: AggregatorFixture) -> None:
        super().__init__()
        self.windows, self.progress = fixture.store.windows, fixture.store.progress
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.readings = 0

    async def stream_windows(self, first: int, end: int, source: LogPartition) -> AsyncIterator[Sequence[WindowPoint]]:
        self.readings += 1
        self.asked.set()
        await self.let.wait()
        async for points in super().stream_windows(first, end, source):
            yield points
