"""Hours far apart cost the store no files and no memory; beyond the raw retention nothing is lost but raw lines."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import httpx
import psutil  # type: ignore[import-untyped] # it has no types
import pytest

from deploy.local.services.influxdb import InfluxDB
from support.scenarios.environment import Environment
from support.scenarios.ledger import HOUR_MS, Action
from support.scenarios.log_count import count_log
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults

DAY_MS = 24 * HOUR_MS
YEAR_1990 = 631_152_000_000
"""The earliest timestamp that the API accepts by default."""
KEPT = timedelta(days=7)
HOURS_PER_BATCH = 1_000
"""As many as the API takes by default."""


class Used(NamedTuple):
    """What a process takes."""

    descriptors: int
    megabytes: float


def used_by(influxdb: InfluxDB) -> Used:
    assert influxdb.process is not None
    process = psutil.Process(influxdb.process.pid)
    return Used(process.num_fds(), process.memory_info().rss / 1e6)


def batched(actions: list[Action], most: int) -> Iterator[list[Action]]:
    return (actions[first : first + most] for first in range(0, len(actions), most))


def of_each_week_since_1990(now: int) -> list[Action]:
    weeks = range(YEAR_1990, now, 7 * DAY_MS)
    return [{"timestamp": at, "user": f"u{at}", "event": "click", "id": str(at)} for at in weeks]


async def test_an_action_in_each_week_since_1990_leaves_the_stores_files_and_memory_flat(
    environment: Environment, scenario: Scenario, influxdb: InfluxDB
) -> None:
    async def monitored() -> bool:
        return scenario.monitor.answers_checked > 0

    environment.start_worker()
    weeks = of_each_week_since_1990(scenario.now)
    async with scenario.monitored():
        # One partition's windows and progress are there before: files of shards that everybody needs.
        await scenario.send(weeks[-1:])
        await scenario.recovered("an action of this week")
        before = used_by(influxdb)
        for some in batched(weeks, HOURS_PER_BATCH):
            await scenario.send(some)
        await scenario.recovered(f"{len(weeks)} weeks")
        after = used_by(influxdb)
        # All of it may be counted before the monitor has seen an answer that tells how complete it is.
        await scenario.until("the monitor has seen an answer", monitored)
    scenario.note(f"{before} became {after}", 0)
    # With shards of 7 days 1,000 weeks cost 9,018 descriptors and 635 MB.
    assert after.descriptors - before.descriptors < 200
    assert after.megabytes - before.megabytes < 200
    assert await scenario.verdict(hours=sorted(scenario.ledger.hours())[::50]) == []


@pytest.fixture
def raw_retention() -> timedelta:
    return KEPT


async def test_what_is_older_than_the_raw_retention_is_counted_all_the_same(
    environment: Environment, scenario: Scenario
) -> None:
    environment.start_worker(raw_retention="P7D", raw_retention_margin="PT0S")
    # Its settings say more than the bucket keeps: the store refuses some of what it sends, in the midst of the rest.
    environment.start_worker(raw_retention="P30D")
    ages = [0, 5 * DAY_MS, 7 * DAY_MS - 5_000, 7 * DAY_MS, 8 * DAY_MS, 29 * DAY_MS, 31 * DAY_MS, scenario.now]
    actions: list[Action] = [
        {"timestamp": scenario.now - age, "user": f"u{number}", "event": "click", "id": f"{age}-{number}"}
        for number in range(100)
        for age in ages
    ]
    async with scenario.traffic(seed=61):
        await scenario.counted(1_000)
        await scenario.send(actions, batch=50)
        await scenario.recovered("actions around the raw retention")
    assert await scenario.verdict() == []
    since = (scenario.now - 6 * DAY_MS) // HOUR_MS * HOUR_MS
    counted = await asyncio.to_thread(count_log, environment.bootstrap, environment.topic)
    assert await raw_lines(environment, since) == sum(one.lines for hour, one in counted.hours.items() if hour >= since)


async def raw_lines(environment: Environment, since: int) -> int:
    """How many raw actions are stored from that hour on."""
    database, _, _ = environment.influx.raw_bucket.partition("/")
    query = f'SELECT COUNT("user") FROM "actions" WHERE time >= {since}ms AND time < {since + 30 * DAY_MS}ms'
    async with httpx.AsyncClient(base_url=str(environment.influx.influx_url), timeout=60) as http:
        answer = (await http.get("/query", params={"db": database, "q": query})).raise_for_status().json()
    return int(answer["results"][0]["series"][0]["values"][0][1])
