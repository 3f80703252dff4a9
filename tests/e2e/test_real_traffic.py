"""Real traffic through HTTP, Kafka, workers and each store gives the counts it must give."""

import csv
import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from contract.hour import HOUR_MS, format_hour, parse_hour
from support.end_to_end.oracle import Expected, count, until_caught_up
from support.end_to_end.pipeline import Pipeline
from support.end_to_end.traffic import send

DATA = Path(__file__).parent / "data"


def independent_count() -> dict[str, str]:
    with (DATA / "web-2015-05.hours.csv").open() as file:
        return {
            row[
                "hour"
            ]: f"unique_users,{row['unique_users']}\nclicks,{row['clicks']}\nimpressions,{row['impressions']}\n"
            for row in csv.DictReader(file)
        }


async def test_every_hour_of_the_real_file_is_right(pipeline_on_any_store: Pipeline, http: httpx.AsyncClient) -> None:
    pipeline = pipeline_on_any_store
    for _ in range(2):
        pipeline.start_worker()
    pipeline.wait_until_ready()
    actions = [json.loads(line) for line in (DATA / "web-2015-05.ndjson").read_text().splitlines()]

    await send(http, pipeline.ingest_url, actions)
    await until_caught_up(http, pipeline.aggregator_url)

    expected = independent_count()
    answers = {}
    for hour in expected:
        response = await http.get(f"{pipeline.aggregator_url}/analytics", params={"timestamp": parse_hour(hour) + 1})
        answers[hour] = response.text
    assert answers == expected
    assert {parse_hour(hour) for hour in expected} == count(actions).keys()
    await require_every_hour_in_one_table(http, pipeline.aggregator_url, expected)
    await require_every_day_and_the_whole(http, pipeline.aggregator_url, actions)


async def require_every_hour_in_one_table(http: httpx.AsyncClient, url: str, expected: dict[str, str]) -> None:
    hours = sorted(map(parse_hour, expected))
    span = {"from": hours[0], "to": hours[-1] + HOUR_MS, "format": "csv"}
    rows = list(csv.DictReader((await http.get(f"{url}/v1/hours", params=span)).text.splitlines()))
    assert [int(row["timestamp"]) for row in rows] == list(range(hours[0], hours[-1] + 1, HOUR_MS))
    assert {
        row["hour"]: f"unique_users,{row['unique_users']}\nclicks,{row['clicks']}\nimpressions,{row['impressions']}\n"
        for row in rows
        if int(row["timestamp"]) in hours
    } == {format_hour(parse_hour(hour)): text for hour, text in expected.items()}
    assert all(row["actions"] == "0" for row in rows if int(row["timestamp"]) not in hours)


async def require_every_day_and_the_whole(http: httpx.AsyncClient, url: str, actions: list[dict[str, Any]]) -> None:
    """Users of a day are those of its hours, each once: so they are no sum."""
    users: dict[str, set[str]] = defaultdict(set)
    for action in actions:
        users[str(datetime.fromtimestamp(action["timestamp"] / 1000, ZoneInfo("Europe/Berlin")).date())].add(
            action["user"]
        )
    span = {"from": min(users), "to": str(date.fromisoformat(max(users)) + timedelta(days=1)), "tz": "Europe/Berlin"}
    days = (await http.get(f"{url}/v1/days", params=span)).json()["days"]
    assert {row["day"]: row["unique_users"] for row in days} == {day: len(of_day) for day, of_day in users.items()}
    whole = (await http.get(f"{url}/v1/totals", params=span)).json()
    assert whole["unique_users"] == len(set().union(*users.values())) < sum(row["unique_users"] for row in days)
    assert whole["clicks"] + whole["impressions"] == sum(row["actions"] for row in days)


async def test_an_hour_without_actions_is_three_zeros(pipeline: Pipeline, http: httpx.AsyncClient) -> None:
    pipeline.start_worker()
    pipeline.wait_until_ready()

    response = await http.get(f"{pipeline.aggregator_url}/analytics", params={"timestamp": 0})

    assert response.text == Expected().text()
    assert response.headers["content-type"].startswith("text/plain")
