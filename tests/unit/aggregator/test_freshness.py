"""What metrics say of how old the numbers are."""

import asyncio
import math
from collections.abc import Mapping
from datetime import timedelta

import pytest

from aggregator.freshness import Freshness
from aggregator.hours.completeness import Completeness
from aggregator.metrics import Metrics
from contract.errors import StateUnreadable, StoreUnavailable
from contract.log.progress import LogPartition, Progress

P0, P1 = LogPartition("a log", 0), LogPartition("a log", 1)
Answer = tuple[Completeness, Mapping[LogPartition, Progress]] | Exception


class Told:
    """Answers one look after another, and what the metrics say then."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._metrics = Metrics()
        self._freshness = Freshness(self, self._metrics, timedelta(seconds=0.01))

    async def completeness(self) -> tuple[Completeness, Mapping[LogPartition, Progress]]:
        answer = self._answers.pop(0)
        if isinstance(answer, TimeoutError):
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def through(self) -> float | None:
        return self._metrics.listed.registry.get_sample_value("collector_aggregator_complete_through_timestamp_seconds")

    def earlier_logs(self) -> float | None:
        return self._metrics.listed.registry.get_sample_value("collector_aggregator_earlier_logs")

    async def look(self) -> dict[str, float | None]:
        await self._freshness.look()
        names = {"through": "complete_through_timestamp_seconds", "lag": "lag_records", "lost": "lost_records"}
        values = {
            short: self._metrics.listed.registry.get_sample_value(f"collector_aggregator_{name}")
            for short, name in names.items()
        }
        return {short: None if value is None or math.isnan(value) else value for short, value in values.items()}


def answer(through: int | None, lag: int | None = 0, **counted: int) -> Answer:
    progress = {LogPartition("a log", int(name[1:])): Progress(offset, lost=2) for name, offset in counted.items()}
    return Completeness(through, lag, final=False), progress


async def test_the_metrics_say_what_is_complete_what_lags_and_what_was_lost() -> None:
    told = Told(answer(5_500, lag=3, p0=9, p1=4))
    assert await told.look() == {"through": 5.5, "lag": 3, "lost": 4}


async def test_the_metrics_say_how_many_logs_were_counted_before_the_present_one() -> None:
    told = Told(answer(5_500, p0=9))
    assert math.isnan(told.earlier_logs() or 0)
    progress = {LogPartition(log, number): Progress(9) for log in ("first", "second") for number in (0, 1)}
    of_two = Told((Completeness(5_500, 0, final=False), progress))
    for one, expected in ((told, 0), (of_two, 1), (Told(answer(5_500)), 0)):
        await one.look()
        assert one.earlier_logs() == expected


async def test_what_was_complete_once_stays_so_though_a_silent_partition_has_a_record_again() -> None:
    told = Told(answer(5_000, p0=9), answer(1_000, lag=1, p0=9))
    await told.look()
    assert await told.look() == {"through": 5, "lag": 1, "lost": 2}


@pytest.mark.parametrize("counted", [{"p0": 8}, {}], ids=["less", "nothing"])
async def test_of_a_store_that_was_restored_what_was_complete_is_no_longer_so(counted: dict[str, int]) -> None:
    told = Told(answer(5_000, p0=9), answer(1_000, lag=1, **counted))
    await told.look()
    assert (await told.look())["through"] == 1


async def test_until_it_is_known_what_is_complete_is_not_a_number() -> None:
    told = Told(StoreUnavailable("away"), answer(None, lag=None, p0=9), answer(5_000, p0=9))
    for expected in (math.nan, math.nan, 5):
        await told.look()
        assert told.through() == pytest.approx(expected, nan_ok=True)


async def test_while_nobody_knows_what_is_complete_stands_still() -> None:
    told = Told(answer(None, lag=None, p0=9), answer(5_000, p0=9), answer(None, lag=None, p0=9))
    assert await told.look() == {"through": None, "lag": None, "lost": 2}
    await told.look()
    assert await told.look() == {"through": 5, "lag": None, "lost": 2}


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable("away"), StateUnreadable("version 9"), TimeoutError()],
    ids=lambda one: type(one).__name__,
)
async def test_while_the_store_is_away_only_the_lag_is_unknown(error: Exception) -> None:
    told = Told(answer(5_000, p0=9), error)
    await told.look()
    assert await told.look() == {"through": 5, "lag": None, "lost": 2}
