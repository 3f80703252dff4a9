"""Every example of docs/api.md, run as it stands there against the gateway, and what it gives beside an oracle."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from support.builds.clients import python_packages
from support.clients.api_page import Example, examples
from support.clients.product import Product
from support.end_to_end.oracle import HOUR_MS, Expected, count

pytestmark = pytest.mark.clients

BERLIN: Final = ZoneInfo("Europe/Berlin")
Actions = list[dict[str, Any]]


class Given(dict[int, Expected]):
    """The oracle's hours, what the example printed, and the folder that it wrote into."""

    def __init__(self, sent: Actions, printed: str, folder: Path) -> None:
        super().__init__(count(sent))
        self.sent = sent
        self.printed = printed
        self.folder = folder

    def numbers(self, hour: int) -> list[int]:
        """unique_users, clicks, impressions."""
        found = self.get(hour, Expected())
        return [len(found.users), found.clicks, found.impressions]

    def clicks_since(self, first: datetime) -> int:
        return sum(found.clicks for hour, found in self.items() if hour >= first.timestamp() * 1000)


def rows_of(text: str) -> list[dict[str, str]]:
    """RFC 4180, strictly."""
    assert text.count("\n") == text.count("\r\n") == len(text.splitlines())
    return list(csv.DictReader(text.splitlines(), strict=True))


def numbers_in(row: Mapping[str, Any]) -> list[int]:
    return [int(row[name]) for name in ("unique_users", "clicks", "impressions")]


def users_this_hour(given: Given) -> None:
    told = json.loads(given.printed)
    assert numbers_in(told) == given.numbers(round(datetime.fromisoformat(told["hour"]).timestamp()) * 1000)
    assert told["unique_users"] > 0


def clicks_of_yesterday(given: Given) -> None:
    (row,) = rows_of(given.printed)
    hour = datetime.fromisoformat(row["hour"]).astimezone(BERLIN)
    assert (hour.hour, hour.date()) == (14, datetime.now(BERLIN).date() - timedelta(days=1))
    assert numbers_in(row) == given.numbers(int(row["timestamp"]))
    assert int(row["clicks"]) > 0


def users_of_last_week(given: Given) -> None:
    told = json.loads(given.printed)
    monday = last_monday(datetime.now(BERLIN).date())
    first, end = (datetime(day.year, day.month, day.day, tzinfo=BERLIN) for day in (monday, monday + timedelta(7)))
    assert [datetime.fromisoformat(told[name]) for name in ("from", "to")] == [first, end]
    mine = [one for one in given.sent if first.timestamp() * 1000 <= one["timestamp"] < end.timestamp() * 1000]
    assert told["unique_users"] == len({one["user"] for one in mine}) > 0
    assert told["clicks"] == sum(one["event"] == "click" for one in mine)


def is_final(given: Given) -> None:
    assert given.printed.strip().lower() == "collector-final: true"


def a_month(given: Given) -> None:
    rows = rows_of((given.folder / "month.csv").read_bytes().decode())
    assert rows[0]["hour"] == datetime.now(UTC).strftime("%Y-%m-01T00:00:00Z")
    first = int(rows[0]["timestamp"])
    assert [int(row["timestamp"]) for row in rows] == [first + number * HOUR_MS for number in range(len(rows))]
    assert [numbers_in(row) for row in rows] == [given.numbers(int(row["timestamp"])) for row in rows]


def the_live_hour(given: Given) -> None:
    event, _, data = given.printed.splitlines()
    assert event == "event: hour"
    told = json.loads(data.removeprefix("data: "))
    assert numbers_in(told) == given.numbers(told["timestamp"])


def what_was_just_written(given: Given) -> None:
    told = json.loads(given.printed)
    users, clicks, impressions = given.numbers(round(datetime.fromisoformat(told["hour"]).timestamp()) * 1000)
    assert numbers_in(told) == [users + 1, clicks + 1, impressions]


def all_clicks_of_a_year(given: Given) -> None:
    assert int(given.printed) == given.clicks_since(datetime(2026, 1, 1, tzinfo=UTC))


def clicks_by_pandas(given: Given) -> None:
    clicks, final, index = given.printed.split(" ", 2)
    assert int(clicks) == given.clicks_since(this_hour() - timedelta(hours=23))
    assert (final, index.strip()[:10], "UTC" in index) == ("bool", "datetime64", True)


def clicks_by_polars(given: Given) -> None:
    today = datetime.now(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)
    clicks, final, day = given.printed.split()
    assert int(clicks) == given.clicks_since(today - timedelta(days=6))
    assert (final, day) == ("Boolean", "Date")


def clicks_by_duckdb(given: Given) -> None:
    clicks, kind = given.printed.strip().strip("[()]").split(", ", 1)
    assert int(clicks) == given.clicks_since(this_hour() - timedelta(hours=23))
    assert kind.startswith("'TIMESTAMP")


CHECKS: Final[dict[str, Callable[[Given], None]]] = {
    "How many users so far this hour": users_this_hour,
    "Clicks of yesterday, 14 to 15 h in Berlin": clicks_of_yesterday,
    "Users of last week, each once": users_of_last_week,
    "Is this number final": is_final,
    "A month into a file": a_month,
    "The current hour as it moves": the_live_hour,
    "httpx": all_clicks_of_a_year,
    "pandas": clicks_by_pandas,
    "polars": clicks_by_polars,
    "DuckDB": clicks_by_duckdb,
    # It adds an action: the others come first.
    "Reading what was just written": what_was_just_written,
}


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def last_monday(today: date) -> date:
    """Of the last week that is over."""
    return today - timedelta(days=today.weekday() + 7)


def actions() -> Actions:
    """Some in each span that an example asks for; users come in several of them."""
    now, yesterday = datetime.now(UTC), datetime.now(BERLIN) - timedelta(days=1)
    wednesday = datetime.combine(last_monday(datetime.now(BERLIN).date()) + timedelta(2), datetime.min.time(), BERLIN)
    instants = [
        now,
        now,
        yesterday.replace(hour=14, minute=30),
        yesterday.replace(hour=15, minute=0, second=0, microsecond=0),
        *(wednesday + timedelta(hours=hour) for hour in range(20)),
    ]
    sent = [("click", 0), ("click", 1), ("impression", 2)]
    return [
        {"timestamp": int(instant.timestamp() * 1000), "user": f"u{number % 5 + turn}", "event": event, "id": f"{turn}"}
        for number, instant in enumerate(instants)
        for event, turn in sent
    ]


@pytest.fixture
def gateway(product: Product, tmp_path: Path) -> Iterator[str]:
    """Where it is, as the page writes it."""
    upstreams = {
        "GATEWAY_INGEST": f"127.0.0.1:{product.port}",
        "GATEWAY_AGGREGATOR": f"127.0.0.1:{product.aggregator_port}",
    }
    one = Gateway(tmp_path / "gateway", free_port(), tmp_path / "gateway.log", upstreams)
    one.start()
    try:
        one.wait_until_ready()
        yield f"127.0.0.1:{one.port}"
    finally:
        one.kill()


def run(example: Example, gateway: str, folder: Path) -> str:
    text = example.text.replace("127.0.0.1:8080", gateway)
    shell = ["bash", "-euc", text] if example.language == "bash" else [sys.executable, "-c", text]
    environment = {**os.environ, "PYTHONPATH": str(python_packages())}
    ended = subprocess.run(  # the page's own example
        shell, cwd=folder, env=environment, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 0, f"{example.heading}: {ended.stderr.decode()}"
    return ended.stdout.decode()


async def test_every_example_gives_what_the_page_says(
    product: Product, gateway: str, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    sent = actions()
    assert (await http.post(f"http://{gateway}/v1/actions", json=sent)).json()["accepted"] == len(sent)
    assert await product.differences(sent) == {}
    by_heading = {example.heading: example for example in examples()}
    for heading, check in CHECKS.items():
        check(Given(sent, run(by_heading[heading], gateway, tmp_path), tmp_path))
