"""What metrics say of what is not stored yet."""

import asyncio
import gc
from collections.abc import Mapping

import pytest

from contract.errors import LogUnavailable
from contract.log.progress import Progress
from stream_workers import metrics
from stream_workers.lag import Lag
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import HOUR, quiet
from support.fixtures.writer import WriterFixture, clicks


class Watched:
    """A writer on partition 0, and who looks at its lag. Records are appended at HOUR + their offset, in ms."""

    def __init__(self) -> None:
        self.writer = WriterFixture()
        self.now = HOUR
        self.ends: Mapping[int, int] = {0: 0}
        self.away: LogUnavailable | None = None
        self.let = asyncio.Event()
        self.let.set()
        self.asked = 0
        self.lag = Lag(self.writer.assignment, self._ends, lambda: self.now)

    async def _ends(self) -> Mapping[int, int]:
        self.asked += 1
        await self.let.wait()
        if self.away is not None:
            raise self.away
        return self.ends

    async def look(self, *, at: int, partition: int = 0) -> tuple[float, float] | None:
        """Records and seconds, `at` ms after HOUR; None where nothing is said of the partition."""
        self.now = HOUR + at
        await self.lag.look()
        labels = {"partition": str(partition)}
        found = [
            metrics.LISTED.registry.get_sample_value(f"collector_worker_lag_{unit}", labels)
            for unit in ("records", "seconds")
        ]
        return None if found[0] is None or found[1] is None else (found[0], found[1])


@timeless
async def test_what_is_all_stored_lags_by_nothing() -> None:
    watched = Watched()
    async with watched.writer.running(0):
        watched.writer.mailbox.put(*clicks(0, 1, 2))
        await watched.writer.writer.settle()
        await asyncio.sleep(1)
        watched.ends = {0: 3}
        assert await watched.look(at=60_000) == (0, 0)


@timeless
async def test_a_partition_lags_since_its_newest_stored_record() -> None:
    watched = Watched()
    await watched.writer.store_progress(Progress(4, watermark=HOUR + 2_000))
    await watched.writer.acquire()
    watched.ends = {0: 12}
    assert await watched.look(at=9_000) == (7, 7)


@timeless
async def test_a_record_that_comes_after_a_long_pause_lags_since_nothing_was_missing_last() -> None:
    watched = Watched()
    await watched.writer.store_progress(Progress(4, watermark=HOUR))
    await watched.writer.acquire()
    watched.ends = {0: 5}
    assert await watched.look(at=3_600_000) == (0, 0)
    watched.ends = {0: 6}
    assert await watched.look(at=3_601_000) == (1, 1)
    assert await watched.look(at=3_605_000) == (1, 5)


@timeless
async def test_what_was_never_counted_lags_since_it_was_seen() -> None:
    watched = Watched()
    await watched.writer.acquire()
    watched.ends = {0: 10}
    assert await watched.look(at=0) == (10, 0)
    assert await watched.look(at=3_000) == (10, 3)


@timeless
async def test_while_kafka_is_away_the_lag_is_that_of_the_ends_known_last_and_goes_on_ageing() -> None:
    watched = Watched()
    await watched.writer.store_progress(Progress(4, watermark=HOUR))
    await watched.writer.acquire()
    watched.ends = {0: 8}
    await watched.look(at=0)
    watched.away = LogUnavailable("away")
    assert await watched.look(at=5_000) == (3, 5)


@timeless
async def test_while_kafka_is_away_nobody_knows_that_nothing_is_missing() -> None:
    watched = Watched()
    await watched.writer.store_progress(Progress(4, watermark=HOUR))
    await watched.writer.acquire()
    watched.ends = {0: 5}
    await watched.look(at=1_000)
    watched.away = LogUnavailable("away")
    await watched.look(at=5_000)
    watched.away, watched.ends = None, {0: 6}
    assert await watched.look(at=6_000) == (1, 5)


@timeless
async def test_a_question_that_hangs_is_not_asked_twice_and_keeps_nobody_for_long() -> None:
    watched = Watched()
    await watched.writer.acquire()
    watched.let.clear()
    assert await watched.look(at=0) == (0, 0)
    assert await watched.look(at=1) == (0, 0)
    assert watched.asked == 1
    watched.let.set()


@timeless
async def test_a_question_that_fails_when_nobody_waits_any_more_is_no_error_of_the_program() -> None:
    watched, told = Watched(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    await watched.writer.acquire()
    watched.let.clear()
    await watched.look(at=0)
    watched.away = LogUnavailable("away")
    watched.let.set()
    await quiet()
    await watched.look(at=1)
    gc.collect()
    assert told == []


@timeless
async def test_nothing_is_said_of_a_partition_that_is_no_longer_ours() -> None:
    watched = Watched()
    await watched.writer.acquire()
    assert await watched.look(at=0) is not None
    watched.writer.assignment.forget()
    assert await watched.look(at=1) is None


@timeless
async def test_a_bug_is_no_outage() -> None:
    watched = Watched()
    await watched.writer.acquire()

    async def broken() -> Mapping[int, int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Lag(watched.writer.assignment, broken, lambda: HOUR).look()
