"""The oracle itself: what it must see, it sees. A fault that changes a number cannot pass unseen."""

import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ledger import HOUR_MS, Action, Ledger, key_of
from log_count import LogCount
from stage import Stage
from watch import Watch

from stores.settings import InfluxSettings

HOUR = 494_902 * HOUR_MS
ACTION: Action = {"timestamp": HOUR + 1, "user": "ada", "event": "click", "id": "1"}
OTHER: Action = {**ACTION, "id": "2", "event": "impression"}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def watch(ledger: Ledger) -> AsyncIterator[Watch]:
    stage = SimpleNamespace(
        bootstrap="127.0.0.1:1", topic="none", influx=InfluxSettings(), aggregator_url="http://none"
    )
    watch = Watch(cast("Stage", stage), ledger, HOUR)
    yield watch
    await watch.close()


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


def test_a_number_that_goes_back_is_seen(watch: Watch, ledger: Ledger) -> None:
    ledger.sending([ACTION])
    watch.judge(HOUR, answer(1))
    watch.judge(HOUR, answer(0))

    assert len(watch.wrong) == 1
    assert "went back" in watch.wrong[0]


def test_more_than_was_sent_is_seen(watch: Watch) -> None:
    watch.judge(HOUR, answer(1))

    assert len(watch.wrong) == 1
    assert "1 counted, 0 sent" in watch.wrong[0]


def test_an_hour_called_final_too_early_is_seen(watch: Watch, ledger: Ledger) -> None:
    ledger.sending([ACTION])
    ledger.was_answered([ACTION], "acknowledged")
    later = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 60))

    watch.judge(HOUR, answer(0, through=later, final=True))

    assert len(watch.wrong) == 1
    assert "called final" in watch.wrong[0]
