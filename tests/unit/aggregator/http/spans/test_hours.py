import csv
import io
import json
from typing import Any, Never

import httpx
import pytest

from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS, format_hour
from stores.memory import MemoryStore
from support.fixtures.aggregator import HOUR, AggregatorFixture, click, serving

DAY = 24 * HOUR_MS
COLUMNS = ["hour", "timestamp", "unique_users", "clicks", "impressions", "actions", "duplicates", "final"]


async def three_hours() -> AggregatorFixture:
    """Actions in the hour two before this one and in this one, none in between; all are counted."""
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a", hour=HOUR - 2 * HOUR_MS), click("a", event="impression"))
    fixture.append(1, click("b"), click("b", event="view", action_id="1"), click("b", event="view", action_id="1"))
    await fixture.count(0)
    await fixture.count(1)
    return fixture


def at(hour: int) -> str:
    return format_hour(hour)


async def asked(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:  # noqa: ANN401 - of many types
    answer = await client.get("/v1/hours", params={"from" if name == "first" else name: v for name, v in query.items()})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def test_each_hour_of_a_span_has_a_row_and_those_without_actions_have_zeros() -> None:
    async with serving(await three_hours()) as client:
        told = await asked(client, first=at(HOUR - 2 * HOUR_MS), to=at(HOUR + HOUR_MS))
    assert [row["hour"] for row in told["hours"]] == [at(HOUR - 2 * HOUR_MS), at(HOUR - HOUR_MS), at(HOUR)]
    assert told["hours"][2] == {
        "hour": at(HOUR),
        "timestamp": HOUR,
        "unique_users": 2,
        "clicks": 1,
        "impressions": 1,
        "actions": 3,
        "duplicates": 1,
        "final": False,
    }
    assert {told["hours"][1][name] for name in COLUMNS[2:7]} == {0}
    assert [row["clicks"] for row in told["hours"]] == [1, 0, 1]
    assert [row["final"] for row in told["hours"]] == [True, True, False]
    assert (told["lag"], told["final"], told["next"]) == (0, False, None)
    assert told["complete_through"] == "2026-11-24T09:01:00.000Z"


@pytest.mark.parametrize("span", [1, 23, 24, 25, 49, 31 * 24])
async def test_a_row_says_what_the_hour_s_own_answer_says_wherever_it_lies_in_the_span(span: int) -> None:
    fixture = AggregatorFixture(partitions=2)
    hours = range(HOUR - (span - 1) * HOUR_MS, HOUR + HOUR_MS, HOUR_MS)
    fixture.append(0, *(click(f"u{n % 3}", hour=hour) for n, hour in enumerate(hours) for _ in range(1 + n % 4)))
    await fixture.count(0)
    async with serving(fixture) as client:
        told = await asked(client, first=at(hours[0]), to=at(hours[-1] + HOUR_MS))
        assert [row["timestamp"] for row in told["hours"]] == list(hours)
        for row in told["hours"][:: max(1, span // 10)]:
            one = (await client.get(f"/v1/hours/{row['hour']}")).json()
            assert {name: row[name] for name in one.keys() & row.keys()} == {
                name: one[name] for name in one.keys() & row.keys()
            }


async def test_by_default_a_span_is_24_hours_and_the_current_one_is_its_last() -> None:
    async with serving(await three_hours()) as client:
        told = await asked(client)
        assert [row["timestamp"] for row in told["hours"]] == list(range(HOUR - 23 * HOUR_MS, HOUR + 1, HOUR_MS))
        told = await asked(client, to=at(HOUR))
        assert [row["timestamp"] for row in told["hours"]] == list(range(HOUR - DAY, HOUR, HOUR_MS))


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T09:00:00Z",
        "2026-11-24T09:00",
        "2026-11-24T09",
        "2026-11-24T10:00:00+01:00",
        "2026-11-24T14:30:00+05:30",
        "2026-11-24T09:00:00.000Z",
        str(HOUR),
    ],
)
async def test_an_hour_may_be_named_in_each_of_these_ways(written: str) -> None:
    async with serving(await three_hours()) as client:
        (row,) = (await asked(client, first=written, to=HOUR + HOUR_MS))["hours"]
        assert row["timestamp"] == HOUR
        raw = await client.get(f"/v1/hours?from={written}&to={HOUR + HOUR_MS}")  # `+` is not percent-encoded
        assert raw.json()["hours"] == [row]


async def test_a_date_is_its_first_hour() -> None:
    async with serving(await three_hours()) as client:
        hours = (await asked(client, first="2026-11-23", to="2026-11-25"))["hours"]
    assert (hours[0]["hour"], hours[-1]["hour"], len(hours)) == ("2026-11-23T00:00:00Z", "2026-11-24T23:00:00Z", 48)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=yesterday", "instant_malformed", "from"),
        ("to=", "instant_malformed", "to"),
        ("to=2026-11-24T09:00%00", "instant_malformed", "to"),
        ("from=2026-13-01", "instant_malformed", "from"),
        ("from=2026-11-24T09:30", "span_within_an_hour", "from"),
        ("to=2026-11-24T09:00%2B05:30", "span_within_an_hour", "to"),
        (f"from={HOUR + 1}", "span_within_an_hour", "from"),
        ("from=2026-11-24&to=2026-11-24", "span_empty", "from"),
        ("from=2026-11-25&to=2026-11-24", "span_empty", "from"),
        ("from=1969-12-31", "span_out_of_range", "from"),
        ("to=2100-01-01T01:00", "span_out_of_range", "to"),
        ("from=99999999999999999999", "span_out_of_range", "from"),
        ("from=2026-11-24&from=2026-11-24", "parameter_repeated", "from"),
        ("format=xml", "format_unknown", "format"),
        ("format=csv&format=json", "format_unknown", "format"),
    ],
)
async def test_a_span_that_breaks_a_rule_is_refused_with_the_evidence(query: str, code: str, field: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(f"/v1/hours?{query}")
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (400, code, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["rule"]


async def test_all_that_there_can_be_is_asked_for_page_by_page() -> None:
    async with serving(await three_hours()) as client:
        answer = await client.get("/v1/hours?from=1970-01-01&to=2100-01-01")
        told = answer.json()
    assert (told["hours"][0]["timestamp"], len(told["hours"])) == (0, 744)
    assert told["next"] == "/v1/hours?from=1970-02-01T00:00:00Z&to=2100-01-01T00:00:00Z"


async def test_the_next_pages_hold_the_rest_of_the_span_in_each_format() -> None:
    first = HOUR - 32 * DAY
    async with serving(await three_hours()) as client:
        for written in ("json", "csv", "ndjson"):
            url: str | None = f"/v1/hours?from={first}&to={HOUR + HOUR_MS}&format={written}"
            pages = []
            while url is not None:
                answer = await client.get(url)
                pages.append(answer)
                url = answer.links["next"]["url"] if "next" in answer.links else None
            assert len(pages) == 2
            if written == "json":
                timestamps = [row["timestamp"] for page in pages for row in page.json()["hours"]]
            elif written == "ndjson":
                timestamps = [json.loads(line)["timestamp"] for page in pages for line in page.text.splitlines()]
            else:
                tables = [list(csv.reader(io.StringIO(page.text))) for page in pages]
                assert all(table[0] == COLUMNS for table in tables)
                timestamps = [int(row[1]) for table in tables for row in table[1:]]
            assert timestamps == list(range(first, HOUR + 1, HOUR_MS))


@pytest.mark.parametrize(
    ("accept", "query", "media_type"),
    [
        ("*/*", "", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", "application/json"),
        ("text/csv", "", "text/csv; charset=utf-8; header=present"),
        ("application/json;q=0.5, text/csv;q=0.9", "", "text/csv; charset=utf-8; header=present"),
        ("application/x-ndjson", "", "application/x-ndjson"),
        ("application/ndjson", "", "application/x-ndjson"),
        ("text/csv;q=nonsense", "", "application/json"),
        ("text/csv", "&format=json", "application/json"),
        ("application/json", "&format=csv", "text/csv; charset=utf-8; header=present"),
    ],
)
async def test_the_format_is_what_the_query_says_else_what_the_reader_accepts(
    accept: str, query: str, media_type: str
) -> None:
    async with serving(await three_hours()) as client:
        answer = await client.get(f"/v1/hours?to={HOUR + HOUR_MS}{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["vary"] == "Accept"


async def test_the_csv_is_a_header_and_a_line_for_each_hour_as_rfc_4180_has_them() -> None:
    async with serving(await three_hours()) as client:
        answer = await client.get(f"/v1/hours?from={HOUR}&to={HOUR + HOUR_MS}&format=csv")
    assert answer.text == f"{','.join(COLUMNS)}\r\n2026-11-24T09:00:00Z,{HOUR},2,1,1,3,1,false\r\n"
    assert answer.headers["collector-final"] == "false"
    assert answer.headers["collector-lag"] == "0"
    assert answer.headers["collector-complete-through"] == "2026-11-24T09:01:00.000Z"


async def test_a_span_is_as_complete_as_its_least_complete_reading() -> None:
    fixture = await three_hours()
    fixture.append(0, click("late", hour=HOUR - 2 * HOUR_MS))
    async with serving(fixture) as client:
        told = await asked(client, first=HOUR - 30 * HOUR_MS, to=HOUR)
        assert (told["lag"], told["final"], told["complete_through"]) == (1, True, "2026-11-24T09:01:00.000Z")
        fixture.end_offsets.unavailable_reason = "away"
        fixture.now += 10_000
        told = await asked(client, first=HOUR - 30 * HOUR_MS, to=HOUR)
    assert (told["lag"], told["final"], told["complete_through"]) == (None, False, None)


async def test_what_did_not_change_is_not_sent_again_and_a_late_action_changes_it() -> None:
    fixture = await three_hours()
    url = f"/v1/hours?from={HOUR - 3 * HOUR_MS}&to={HOUR}"
    async with serving(fixture) as client:
        first = await client.get(url)
        fixture.now += 10_000
        again = await client.get(url, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert first.headers["cache-control"] == "max-age=5, must-revalidate"
        as_csv = await client.get(url + "&format=csv", headers={"If-None-Match": first.headers["etag"]})
        assert as_csv.status_code == 200
        fixture.append(0, click("late", hour=HOUR - 2 * HOUR_MS))
        await fixture.count(0)
        fixture.now += 10_000
        changed = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["hours"][1]["unique_users"] == 2


async def test_of_hours_that_are_not_final_the_tag_says_how_complete_they_are() -> None:
    fixture = await three_hours()
    async with serving(fixture) as client:
        first = await client.get("/v1/hours")
        fixture.now += 10_000
        again = await client.get("/v1/hours", headers={"If-None-Match": first.headers["etag"]})
    assert (first.headers["cache-control"], again.status_code) == ("no-cache", 200)
    assert again.json()["complete_through"] > first.json()["complete_through"]


async def test_users_whose_partition_changed_within_an_hour_count_once_in_its_row() -> None:
    fixture = AggregatorFixture(partitions=1)
    fixture.append(0, click("a"), click("b"))
    fixture.grow()
    fixture.append(1, click("a"), click("c"))
    await fixture.count(0)
    await fixture.count(1)
    async with serving(fixture) as client:
        (row,) = (await asked(client, first=HOUR, to=HOUR + HOUR_MS))["hours"]
    assert (row["unique_users"], row["clicks"]) == (3, 4)


async def test_while_the_store_is_away_the_answer_is_503() -> None:
    class Away(MemoryStore):
        async def read_progress(self, *_: object) -> Never:
            raise StoreUnavailable("gone", reason="connection")

    async with serving(AggregatorFixture(), Away()) as client:
        answer = await client.get("/v1/hours")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
