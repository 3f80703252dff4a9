import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest

from contract.log.position import Position
from support.fixtures.aggregator import HOUR, AggregatorFixture, click, serving
from support.fixtures.ingest import until

PATHS = [
    f"/analytics?timestamp={HOUR}",
    "/v1/hours/2026-11-24T09",
    "/v1/hours?from=2026-11-24&to=2026-11-25",
    "/v1/hours?from=2026-11-24&to=2026-11-25&format=csv",
    "/v1/totals?from=2026-11-24&to=2026-11-25",
    "/v1/days?from=2026-11-24&to=2026-11-25",
]


@pytest.fixture
def fixture() -> AggregatorFixture:
    return AggregatorFixture(partitions=2)


@pytest.fixture
async def client(fixture: AggregatorFixture) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(fixture) as one:
        yield one


def written(fixture: AggregatorFixture, user: str, partition: int = 0) -> str:
    """Appends a click; what a producer is told of it."""
    offset = fixture.end_offsets.by_partition[partition]
    fixture.append(partition, click(user))
    return Position(fixture.end_offsets.log, fixture.now, {partition: offset}).text()


def after(path: str, position: str, wait: str = "0s") -> str:
    return f"{path}{'&' if '?' in path else '?'}after={position}&wait={wait}"


def clicks_in(answer: httpx.Response) -> int:
    """Of the one hour, or day, that has any."""
    if answer.headers["content-type"].startswith("application/json"):
        told = answer.json()
        return sum(row["clicks"] for row in (told.get("hours") or told.get("days") or [told]))
    if "header=present" in answer.headers["content-type"]:
        head, *rows = (line.split(",") for line in answer.text.splitlines())
        return sum(int(row[head.index("clicks")]) for row in rows)
    return int(dict(line.split(",") for line in answer.text.splitlines())["clicks"])


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_counted_is_answered_with_200(
    fixture: AggregatorFixture, client: httpx.AsyncClient, path: str
) -> None:
    position = written(fixture, "u1")
    await fixture.count()
    answer = await client.get(after(path, position))
    assert (answer.status_code, clicks_in(answer)) == (HTTPStatus.OK, 1)


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_not_counted_is_answered_with_202_and_the_numbers_as_they_are(
    fixture: AggregatorFixture, client: httpx.AsyncClient, path: str
) -> None:
    written(fixture, "u1")
    await fixture.count()
    position = written(fixture, "u2")
    answer = await client.get(after(path, position))
    assert (answer.status_code, clicks_in(answer)) == (HTTPStatus.ACCEPTED, 1)
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_waits_until_it_is_counted(
    fixture: AggregatorFixture, client: httpx.AsyncClient, path: str
) -> None:
    position = written(fixture, "u1")
    waiting = asyncio.create_task(client.get(after(path, position, "30s")))
    await until(lambda: fixture.end_offsets.reads > 0)
    await fixture.count()
    answer = await waiting
    assert (answer.status_code, clicks_in(answer)) == (HTTPStatus.OK, 1)


async def test_an_answer_out_of_memory_is_not_given_to_who_wrote_after_it_was_read(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    path = PATHS[0]
    assert clicks_in(await client.get(path)) == 0
    position = written(fixture, "u1")
    await fixture.count()
    assert clicks_in(await client.get(path)) == 0
    assert clicks_in(await client.get(after(path, position))) == 1


async def test_a_partition_that_is_counted_further_counts_nothing_of_another(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    position = written(fixture, "u1", partition=1)
    for _ in range(5):
        written(fixture, "u2", partition=0)
    await fixture.count(0)
    assert (await client.get(after(PATHS[0], position))).status_code == HTTPStatus.ACCEPTED
    await fixture.count(1)
    assert (await client.get(after(PATHS[0], position))).status_code == HTTPStatus.OK


async def test_of_a_topic_that_was_created_again_what_was_counted_before_is_counted(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    counted = written(fixture, "u1")
    await fixture.count()
    lost = written(fixture, "u2")
    fixture.create_again("log-2", 2)
    fixture.now += 1_000
    for _ in range(9):
        written(fixture, "u3")
    await fixture.count()

    assert (await client.get(after(PATHS[0], counted))).status_code == HTTPStatus.OK
    refused = await client.get(after(PATHS[0], lost, "30s"))
    told = refused.json()
    assert (refused.status_code, told["code"], told["field"]) == (400, "position_not_in_log", "after")
    assert lost in told["value"]


async def test_a_position_beyond_the_log_s_end_is_refused(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    written(fixture, "u1")
    for offsets in ({0: 1}, {7: 0}):
        answer = await client.get(after(PATHS[0], Position("log-1", 0, offsets).text()))
        assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.BAD_REQUEST, "position_not_in_log")


async def test_while_kafka_is_away_what_is_counted_is_still_answered(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    counted = written(fixture, "u1")
    await fixture.count()
    other = written(fixture, "u2")
    fixture.end_offsets.unavailable_reason = "away"
    assert (await client.get(after(PATHS[0], counted))).status_code == HTTPStatus.OK
    assert (await client.get(after(PATHS[0], other))).status_code == HTTPStatus.ACCEPTED


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("after=", "after", "position_malformed"),
        ("after=nonsense", "after", "position_malformed"),
        ("after=a.1.2-3&after=a.1.2-3", "after", "parameter_repeated"),
        ("after=log-1.1.0-0&wait=2", "wait", "wait_malformed"),
        ("after=log-1.1.0-0&wait=P", "wait", "wait_malformed"),
        ("after=log-1.1.0-0&wait=-1s", "wait", "wait_malformed"),
        ("after=log-1.1.0-0&wait=30.1s", "wait", "wait_out_of_range"),
        ("after=log-1.1.0-0&wait=PT1M", "wait", "wait_out_of_range"),
    ],
)
async def test_what_is_unusable_is_refused_and_names_the_parameter(
    client: httpx.AsyncClient, path: str, query: str, field: str, code: str
) -> None:
    answer = await client.get(f"{path}{'&' if '?' in path else '?'}{query}")
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (HTTPStatus.BAD_REQUEST, field, code)


@pytest.mark.parametrize("wait", ["0s", "0ms", "1ms", "0.001s", "PT0S", "PT0.001S"])
async def test_a_wait_is_written_as_people_or_as_iso_8601_have_it(
    fixture: AggregatorFixture, client: httpx.AsyncClient, wait: str
) -> None:
    position = written(fixture, "u1")
    assert (await client.get(after(PATHS[0], position, wait))).status_code == HTTPStatus.ACCEPTED


async def test_what_was_kept_is_not_taken_for_an_answer_that_counts(
    fixture: AggregatorFixture, client: httpx.AsyncClient
) -> None:
    kept = await client.get(PATHS[2])
    position = written(fixture, "u1")
    answer = await client.get(after(PATHS[2], position), headers={"If-None-Match": kept.headers["etag"]})
    assert answer.status_code == HTTPStatus.ACCEPTED
