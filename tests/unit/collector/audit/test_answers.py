"""Which answers an audit may hold against the log."""

from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from collector.audit.answers import Answers, NoAnswer, ask_for_hours
from collector.audit.verdict import Numbers
from contract.hour import HOUR_MS, format_hour
from contract.log.progress import LogPartition
from contract.store import WindowPoint
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore

HOUR, NEXT = 494_902 * HOUR_MS, 494_903 * HOUR_MS
SOURCE, OLD = LogPartition("log", 0), LogPartition("old", 0)
ANSWER = {"counts": {"click": 2}, "duplicates": 1, "unique_users": 2, "lag": None, "final": False}
NUMBERS = Numbers({"click": 2}, 1, 2)


async def store_with(*points: tuple[LogPartition, int, int]) -> MemoryStore:
    store = MemoryStore()
    await store.write_windows([WindowPoint(source, hour, at, WindowValue(at)) for source, hour, at in points], [])
    return store


def aggregator(respond: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://test")


async def test_hours_that_stand_still_are_settled() -> None:
    asked = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=ANSWER)

    store = await store_with((SOURCE, HOUR, 5), (SOURCE, HOUR, 3), (SOURCE, NEXT, 6))
    expected = {HOUR: {SOURCE: 5}, NEXT: {SOURCE: 6}, 0: {}}
    answers = await ask_for_hours(store, aggregator(respond), "log", expected)

    assert answers == Answers({HOUR: NUMBERS, NEXT: NUMBERS, 0: NUMBERS}, [], [])
    assert sorted(asked) == sorted(f"/v1/hours/{format_hour(hour)}" for hour in expected)


async def test_where_there_are_no_hours_nobody_is_asked() -> None:
    assert await ask_for_hours(MemoryStore(), aggregator(never), "log", {}) == Answers({}, [], [])


def never(_: httpx.Request) -> httpx.Response:
    raise AssertionError


async def test_an_hour_counted_on_before_the_question_or_before_the_answer_is_moving() -> None:
    store = await store_with((SOURCE, HOUR, 5), (SOURCE, NEXT, 6))

    asked = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        store.windows[SOURCE, NEXT, 1] = WindowValue(7)
        return httpx.Response(200, json=ANSWER)

    expected = {HOUR: {SOURCE: 4}, NEXT: {SOURCE: 6}, 0: {}}
    answers = await ask_for_hours(store, aggregator(respond), "log", expected)

    assert answers == Answers({0: NUMBERS}, [HOUR, NEXT], [])
    assert f"/v1/hours/{format_hour(HOUR)}" not in asked


async def test_an_hour_with_actions_of_an_old_log_is_told_apart() -> None:
    store = await store_with((SOURCE, HOUR, 5), (OLD, HOUR, 5), (OLD, NEXT, 5))
    client = aggregator(lambda _: httpx.Response(200, json=ANSWER))

    assert await ask_for_hours(store, client, "log", {HOUR: {SOURCE: 5}}) == Answers({}, [], [HOUR])


@pytest.mark.parametrize(
    "response",
    [httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE, text="away"), httpx.Response(200, text="<html>")],
    ids=["refused", "no-answer-for-an-hour"],
)
async def test_an_aggregator_that_gives_no_numbers_gives_no_verdict(response: httpx.Response) -> None:
    with pytest.raises(NoAnswer, match="http://test/v1/hours/1970-01-01T00:00:00Z"):
        await ask_for_hours(MemoryStore(), aggregator(lambda _: response), "log", {0: {}})


def test_a_second_answer_replaces_the_first() -> None:
    other = Numbers({}, 0, 0)
    first = Answers({0: NUMBERS, HOUR: NUMBERS, NEXT: NUMBERS}, [], [])

    corrected = first.corrected_by(Answers({HOUR: other}, [NEXT], []), [HOUR, NEXT])

    assert corrected == Answers({0: NUMBERS, HOUR: other}, [NEXT], [])
