"""The oracle itself: what it must see, it sees. A fault that changes a number cannot pass unseen."""

import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from contract.log.progress import Progress
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from support.faults.foreign_producer import ForeignProducer
from support.scenarios import checks
from support.scenarios.environment import Environment
from support.scenarios.ledger import HOUR_MS, Action, Ledger, key_of
from support.scenarios.log_count import LogCount
from support.scenarios.monitor import Monitor
from support.scenarios.scenario import Scenario

HOUR = 494_902 * HOUR_MS
ACTION: Action = {"timestamp": HOUR + 1, "user": "ada", "event": "click", "id": "1"}
OTHER: Action = {**ACTION, "id": "2", "event": "impression"}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def monitor(ledger: Ledger) -> AsyncIterator[Monitor]:
    environment = SimpleNamespace(
        bootstrap="127.0.0.1:1", topic="none", log="none", store=InfluxSettings(), aggregator_url="http://none"
    )
    monitor = Monitor(cast("Environment", environment), ledger, HOUR)
    yield monitor
    await monitor.close()


def answer(clicks: int, *, through: str | None = None, final: bool = False) -> dict[str, Any]:
    numbers = {"clicks": clicks, "impressions": 0, "unique_users": min(clicks, 1), "duplicates": 0}
    return {"hour": "2026-06-17T22:00:00Z", **numbers, "complete_through": through, "final": final}


def test_an_action_once_acknowledged_is_not_unknown_whatever_else_was_heard_of_it(ledger: Ledger) -> None:
    for outcome in ("unknown", "acknowledged", "unknown"):
        ledger.sending([ACTION])
        ledger.was_answered([ACTION], outcome)

    assert ledger.acknowledged == {key_of(ACTION)}
    assert ledger.unknown == set()


def test_a_refusal_does_not_take_back_that_an_earlier_try_is_unknown(ledger: Ledger) -> None:
    for outcome in ("unknown", "not_published"):
        ledger.sending([ACTION])
        ledger.was_answered([ACTION], outcome)
    ledger.sending([OTHER])
    ledger.was_answered([OTHER], "not_published")

    assert ledger.unknown == {key_of(ACTION)}


def test_the_log_is_counted_with_each_id_once() -> None:
    counted = LogCount()
    for action in (ACTION, ACTION, {**ACTION, "event": "impression"}, OTHER):
        counted.add(json.dumps(action).encode())

    assert counted.lines == 4
    assert counted.hours[HOUR].answer() == {"clicks": 1, "impressions": 1, "duplicates": 2, "unique_users": 1}


def test_a_line_that_is_no_action_is_counted_as_rejected() -> None:
    counted = LogCount()
    for value in (None, b"", b"x" * 600_000, b"poison\n\n[]", json.dumps(ACTION).encode() + b"\n"):
        counted.add_record(value)

    assert (counted.lines, counted.rejected, len(counted.keys)) == (7, 6, 1)


def test_a_number_that_goes_back_is_seen(monitor: Monitor, ledger: Ledger) -> None:
    ledger.sending([ACTION])
    monitor.check_answer(HOUR, answer(1))
    monitor.check_answer(HOUR, answer(0))

    assert len(monitor.wrong) == 1
    assert "went back" in monitor.wrong[0]


def test_more_than_was_sent_is_seen(monitor: Monitor) -> None:
    monitor.check_answer(HOUR, answer(1))

    assert len(monitor.wrong) == 1
    assert "1 counted, 0 sent" in monitor.wrong[0]


def test_an_hour_called_final_too_early_is_seen(monitor: Monitor, ledger: Ledger) -> None:
    ledger.sending([ACTION])
    ledger.was_answered([ACTION], "acknowledged")
    later = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 60))

    monitor.check_answer(HOUR, answer(0, through=later, final=True))

    assert len(monitor.wrong) == 1
    assert "called final" in monitor.wrong[0]


def test_an_hour_called_final_whose_completeness_is_unknown_is_seen(monitor: Monitor) -> None:
    monitor.check_answer(HOUR, answer(0, final=True))

    assert len(monitor.wrong) == 1
    assert "completeness is unknown" in monitor.wrong[0]


def test_an_offset_committed_above_the_stores_progress_is_seen(monitor: Monitor) -> None:
    monitor.check_commits({0: 5, 1: 1}, {0: Progress(through_offset=4)})

    assert monitor.wrong == ["partition 1 of none: 1 is committed, the store has -1"]


def of_the_log(*actions: Action) -> LogCount:
    counted = LogCount()
    counted.add_record(b"\n".join(json.dumps(action).encode() for action in actions))
    return counted


def test_an_acknowledged_action_that_is_not_in_the_log_is_seen(ledger: Ledger) -> None:
    ledger.sending([ACTION])
    ledger.was_answered([ACTION], "acknowledged")

    (problem,) = checks.wrong_actions(ledger, of_the_log())

    assert "1 acknowledged actions are not in the log" in problem


def test_a_refused_action_that_is_in_the_log_is_seen(ledger: Ledger) -> None:
    ledger.sending([ACTION])
    ledger.was_answered([ACTION], "not_published")

    (problem,) = checks.wrong_actions(ledger, of_the_log(ACTION))

    assert "1 actions are in the log that were refused or never sent" in problem


@pytest.mark.parametrize(("clicks", "lag"), [(2, 0), (0, 0), (1, 1)])
def test_an_action_counted_twice_or_not_at_all_and_a_lag_are_seen(clicks: int, lag: int) -> None:
    found = {HOUR: answer(clicks) | {"unique_users": 1, "lag": lag}}

    assert len([*checks.wrong_answers(found, of_the_log(ACTION))]) == 1
    assert [*checks.wrong_answers({HOUR: answer(1) | {"lag": 0}}, of_the_log(ACTION))] == []


async def test_whatever_is_wrong_on_real_services_each_check_reports_it(
    environment: Environment, scenario: Scenario
) -> None:
    environment.start_worker()
    async with scenario.traffic(seed=81):
        await scenario.counted(1_000)
    assert await scenario.verdict() == []
    store = InfluxStore(environment.influx, clock=lambda: scenario.now)
    hour = scenario.now // HOUR_MS * HOUR_MS
    right = max(await store.read_windows(hour), key=lambda point: point.value.through_offset)
    wrong = msgspec.structs.replace(right.value, counts={**right.value.counts, "click": 0})

    await store.write_windows([right._replace(value=wrong)], [])
    of_the_store = await scenario.verdict()
    await store.write_windows([right], [])
    assert await scenario.verdict() == []
    ForeignProducer(environment.bootstrap, environment.topic, Ledger()).append(
        [{**ACTION, "timestamp": scenario.now}], 0
    )
    of_a_stranger = await scenario.verdict()
    await store.close()

    expected = ["'clicks': ", "the ledger is not balanced", "the ledger says", "audit:\ndiffers:"]
    assert [any(text in problem for problem in of_the_store) for text in expected] == [True] * 4
    assert len(of_a_stranger) == 1
    assert "1 actions are in the log that were refused or never sent" in of_a_stranger[0]
