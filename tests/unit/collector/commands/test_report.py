import json
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from contract.errors import CollectorError
from contract.hour import HOUR_MS, format_hour
from support.fixtures.aggregator import HOUR
from support.fixtures.told import Told, telling

HEADER = "hour,timestamp,unique_users,clicks,impressions\r\n"


def row(number: int, *, final: bool = True) -> dict[str, Any]:
    hour = HOUR + number * HOUR_MS
    numbers = {"unique_users": 1_000 * number, "clicks": number, "impressions": 2 * number}
    return {"hour": format_hour(hour), "timestamp": hour, **numbers, "final": final}


TOTAL = {
    "from": "2026-11-15T23:00:00Z",
    "to": "2026-11-22T23:00:00Z",
    "unique_users": 900,
    "clicks": 10,
    "impressions": 20,
    "complete_through": "2026-11-24T11:00:05.000Z",
    "final": True,
}


class Api:
    """Tells two pages of hours, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.paths: list[str] = []
        self.url = ""

    def answer(self, told: Told, next_page: str | None = None) -> None:
        """`next_page`: where the first page says that the second one is."""
        target = urlsplit(told.path)
        query = parse_qs(target.query)
        self.asked.append(query)
        self.paths.append(target.path)
        if target.path == "/v1/totals":
            told.tell(json.dumps(TOTAL).encode())
            return
        second = "page" in query
        number = 2 if second else 1
        next_page = next_page or f"{target.path}?page=2&format={query['format'][0]}"
        headers = {} if second else {"Link": f'<{next_page}>; rel="next"'}
        if query["format"] == ["csv"]:
            told.tell(f"{HEADER}{format_hour(HOUR)},{number}\r\n".encode(), "text/csv; header=present", **headers)
            return
        if query["format"] == ["ndjson"]:
            told.tell(json.dumps(row(number)).encode() + b"\n", "application/x-ndjson", **headers)
            return
        page = {
            "hours": [row(number, final=not second)],
            "complete_through": "2026-11-24T11:00:05.000Z" if second else "2026-11-24T11:00:06.000Z",
            "final": not second,
        }
        told.tell(json.dumps(page).encode(), **headers)


@pytest.fixture
def api() -> Iterator[Api]:
    one = Api()
    with telling(one.answer) as one.url:
        yield one


def report(api: Api, *arguments: str, columns: int = 200) -> Result:
    return CliRunner().invoke(app, ["report", "--url", api.url, *arguments], env={"COLUMNS": str(columns)})


def test_the_table_has_each_row_of_all_pages_with_a_bar_and_says_how_complete_it_is(api: Api) -> None:
    result = report(api)

    assert result.exit_code == 0, result.output
    header, first, second, last = result.stdout.splitlines()
    assert "users" in header
    assert first.split()[:6] == ["2026-11-24", "10:00", "1,000", "1", "2", "50.0%"]
    assert second.split()[:6] == ["2026-11-24", "11:00", "2,000", "2", "4", "50.0%"]
    assert second.count("█") == 2 * first.count("█") == 30
    assert last.strip() == "in italics: still being counted; exact up to 2026-11-24 11:00:05 UTC"


def test_bars_are_shorter_where_the_terminal_is_narrow_and_none_is_cut(api: Api) -> None:
    lines = report(api, columns=70).stdout.splitlines()
    first, second = (line for line in lines if line.startswith("2026"))

    assert "…" not in first + second
    assert 0 < second.count("█") < 30
    assert abs(second.count("█") - 2 * first.count("█")) <= 2  # parts of a character are other ones


def test_the_total_is_one_row_whose_users_are_those_of_the_whole_span(api: Api) -> None:
    result = report(api, "--total", "--tz", "Europe/Berlin", "--from", "2026-11-16", "--to", "2026-11-23")

    assert (api.paths, api.asked) == (
        ["/v1/totals"],
        [{"from": ["2026-11-16"], "to": ["2026-11-23"], "tz": ["Europe/Berlin"]}],
    )
    header, row, last = result.stdout.splitlines()
    assert header.startswith("span (Europe/Berlin)")
    assert row.split()[:8] == ["2026-11-16", "00:00", "to", "2026-11-23", "00:00", "900", "10", "20"]
    assert last.strip() == "final"
    assert json.loads(report(api, "--total", "--format", "json").stdout) == TOTAL


def test_hours_are_asked_for_and_shown_in_the_zone(api: Api) -> None:
    result = report(api, "--tz", "Europe/Berlin", "--from", "2026-11-24", "--to", "2026-11-24T13:00")

    assert (api.asked[0]["from"], api.asked[0]["to"]) == (["2026-11-24T00:00:00+01:00"], ["2026-11-24T13:00:00+01:00"])
    assert result.stdout.splitlines()[1].split()[:2] == ["2026-11-24", "11:00"]


def test_days_are_asked_for_by_date_and_zone(api: Api) -> None:
    report(api, "--days", "--tz", "Europe/Berlin", "--from", "2026-11-24")

    assert api.paths[0] == "/v1/days"
    assert (api.asked[0]["from"], api.asked[0]["tz"]) == (["2026-11-24"], ["Europe/Berlin"])


def test_csv_has_one_header_line_over_all_pages(api: Api) -> None:
    result = report(api, "--format", "csv")

    assert result.stdout_bytes.decode() == f"{HEADER}2026-11-24T09:00:00Z,1\r\n2026-11-24T09:00:00Z,2\r\n"


def test_json_is_one_document_over_all_pages(api: Api) -> None:
    told = json.loads(report(api, "--format", "json").stdout)

    assert [one["clicks"] for one in told["hours"]] == [1, 2]
    assert (told["final"], told["complete_through"]) == (False, "2026-11-24T11:00:05.000Z")


def test_what_the_api_refuses_is_told_in_its_words() -> None:
    def refuse(told: Told) -> None:
        told.tell(b'{"detail":"from \\"x\\": no instant"}', "application/problem+json", 400)

    with telling(refuse) as url:
        result = CliRunner().invoke(app, ["report", "--url", url, "--from", "x"])
    assert isinstance(result.exception, CollectorError)
    assert str(result.exception) == f'{url}: HTTP 400: from "x": no instant'


@pytest.mark.parametrize("form", ["json", "table", "csv", "ndjson"])
def test_a_next_page_elsewhere_is_not_asked_for_there_the_key_would_go_along(
    api: Api, tmp_path: Path, form: str
) -> None:
    key = tmp_path / "key"
    key.write_text("a-key")

    def lead_away(told: Told) -> None:
        api.answer(told, next_page=f"{elsewhere}/v1/hours?page=2&format={form}")

    asked_elsewhere: list[str | None] = []
    with (
        telling(lambda told: asked_elsewhere.append(told.headers["Authorization"])) as elsewhere,
        telling(lead_away) as url,
    ):
        result = CliRunner().invoke(app, ["report", "--url", url, "--key-file", str(key), "--format", form])

    assert asked_elsewhere == []
    assert isinstance(result.exception, CollectorError)
    assert f'leads to another origin, "{elsewhere}/' in str(result.exception)


@pytest.mark.parametrize("link", ["http://[::1", "http://xn--/", "\x01"])
def test_a_next_page_that_is_no_address_is_told(api: Api, link: str) -> None:
    with telling(lambda told: api.answer(told, next_page=link)) as url:
        result = CliRunner().invoke(app, ["report", "--url", url])

    assert isinstance(result.exception, CollectorError)
    assert "its header Link names no address" in str(result.exception)


def test_a_next_page_may_be_named_with_the_origin_that_was_asked(api: Api) -> None:
    def lead_on(told: Told) -> None:
        api.answer(told, next_page=f"{url.upper()}/v1/hours?page=2&format=json")

    with telling(lead_on) as url:
        told = json.loads(CliRunner().invoke(app, ["report", "--url", url, "--format", "json"]).stdout)

    assert [one["clicks"] for one in told["hours"]] == [1, 2]


HOUR_ROW = row(1)
PAGE = {"hours": [HOUR_ROW], "days": [], "complete_through": None, "final": True}
FOREIGN = {
    "a web page": b"<html>It works!</html>",
    "nothing": b"",
    "no UTF-8": b'{"detail":"\xff"}',
    "a list": b"[]",
    "another object": b"{}",
    "nested": b'{"x":' + b"[" * 100_000,
    "no rows": json.dumps(PAGE | {"hours": 1, "days": {}}).encode(),
    "a row without users": json.dumps(
        PAGE | {"hours": [{name: HOUR_ROW[name] for name in HOUR_ROW.keys() - {"unique_users"}}], "days": [{}]}
    ).encode(),
    "no number": json.dumps(PAGE | {"hours": [HOUR_ROW | {"clicks": "\x1b[2J"}], "days": [{"clicks": None}]}).encode(),
    "an hour out of time": json.dumps(
        PAGE | {"hours": [HOUR_ROW | {"timestamp": 10**18}], "days": [{"day": "x"}]}
    ).encode(),
    "no instant": json.dumps(PAGE | {"complete_through": "then"}).encode(),
    "an instant out of time": json.dumps(PAGE | {"complete_through": "0001-01-01T00:00:00Z"}).encode(),
}


TABLES = [[], ["--format", "json"], ["--days"], ["--total"], ["--total", "--format", "json"]]
LINES = [["--format", "csv"], ["--format", "ndjson"], ["--days", "--format", "csv"]]


@pytest.mark.parametrize(
    ("body", "arguments"),
    [*product(FOREIGN.values(), TABLES), *product([FOREIGN["a web page"]], LINES)],
    ids=[" ".join((name, *what)) for name, what in (*product(FOREIGN, TABLES), *product(["a web page"], LINES))],
)
def test_an_answer_that_is_no_aggregator_s_is_told_in_one_line(body: bytes, arguments: list[str]) -> None:
    with telling(lambda told: told.tell(body)) as url:
        result = CliRunner().invoke(app, ["report", "--url", url, "--tz", "America/New_York", *arguments])

    assert isinstance(result.exception, CollectorError)
    assert result.stdout == ""
    message = str(result.exception)
    assert f"{url}/v1/" in message
    assert "not as the aggregator does" in message
    assert message.isprintable()


def test_a_total_is_one_page_whatever_its_link_says() -> None:
    with telling(lambda told: told.tell(json.dumps(TOTAL).encode(), Link='</v1/totals>; rel="next"')) as url:
        result = CliRunner().invoke(app, ["report", "--url", url, "--total", "--format", "json"])

    assert json.loads(result.stdout) == TOTAL


@pytest.mark.parametrize("body", [b'{"detail":"\\u001b[2Jgone\\nx"}', b"\x1b[2Jgone\nx"])
def test_a_refusal_does_not_command_the_terminal(body: bytes) -> None:
    with telling(lambda told: told.tell(body, status=503)) as url:
        result = CliRunner().invoke(app, ["report", "--url", url])

    assert str(result.exception) == f"{url}: HTTP 503: \\u001b[2Jgone\\nx"


HOSTILE = f"{HEADER}\x1b[2J\x9b2J,1\r\n".encode()


def test_a_pipe_gets_the_lines_as_they_came() -> None:
    with telling(lambda told: told.tell(HOSTILE + b"\xff\n", "text/csv")) as url:
        result = CliRunner().invoke(app, ["report", "--url", url, "--format", "csv"])

    assert result.stdout_bytes == HOSTILE + b"\xff\n"


def test_a_terminal_is_not_commanded_by_the_lines() -> None:
    with telling(lambda told: told.tell(HOSTILE, "text/csv")) as url:
        shown = shown_by("report", "--url", url, "--format", "csv")

    assert shown == f"{HEADER}\\u001b[2J\\u009b2J,1\r\n".encode()


def shown_by(*arguments: str) -> bytes:
    """What the program writes to its terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-c", "from collector.cli import main; main()", *arguments]
    with Popen(command, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "xterm"}):
        os.close(its)
        shown = b""
        with suppress(OSError):  # so Linux tells that nobody writes any more
            while piece := os.read(ours, 65_536):
                shown += piece
    os.close(ours)
    return shown


def test_an_api_that_is_not_there_is_told() -> None:
    with telling(lambda _: None) as url:
        pass
    result = CliRunner().invoke(app, ["report", "--url", url])
    assert isinstance(result.exception, CollectorError)
    assert str(result.exception).startswith(f"{url} does not answer: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tz", "Mars"],
        ["--tz", "Factory"],
        ["--url", "http://x", "--data", "y"],
        ["--format", "xml"],
        ["--days", "--total"],
        ["--total", "--format", "csv"],
    ],
)
def test_wrong_usage_asks_nothing(api: Api, arguments: list[str]) -> None:
    assert report(api, *arguments).exit_code == 2
    assert api.asked == []
