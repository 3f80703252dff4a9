"""Real traffic through HTTP, Kafka, workers and InfluxDB gives the counts it must give."""

import csv
import json
from pathlib import Path

import httpx

from contract.hour import parse_hour
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


async def test_every_hour_of_the_real_file_is_right(pipeline_on_any_influx: Pipeline, http: httpx.AsyncClient) -> None:
    pipeline = pipeline_on_any_influx
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


async def test_an_hour_without_actions_is_three_zeros(pipeline: Pipeline, http: httpx.AsyncClient) -> None:
    pipeline.start_worker()
    pipeline.wait_until_ready()

    response = await http.get(f"{pipeline.aggregator_url}/analytics", params={"timestamp": 0})

    assert response.text == Expected().text()
    assert response.headers["content-type"].startswith("text/plain")
