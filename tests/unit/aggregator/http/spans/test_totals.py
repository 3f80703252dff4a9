from typing import Any

import httpx
import pytest

from contract.hour import HOUR_MS, format_hour
from support.fixtures.aggregator import HOUR, AggregatorFixture, click, serving

DAY = 24 * HOUR_MS


async def two_days() -> AggregatorFixture:
    """a and b act on the day before as well as on this one, in several hours; c on this one."""
    fixture = AggregatorFixture(partitions=2)
    fixture.append(0, click("a"), click("a", hour=HOUR - HOUR_MS), click("a", hour=HOUR - DAY, event="impression"))
    fixture.append(1, click("b"), click("b", hour=HOUR - DAY), click("c", action_id="1"), click("c", action_id="1"))
    await fixture.count(0)
    await fixture.count(1)
    return fixture


async def asked(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_users_of_a_span_count_once_and_actions_each() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/totals?from=2026-11-23&to=2026-11-25")
    assert told == {
        "from": "2026-11-23T00:00:00Z",
        "to": "2026-11-25T00:00:00Z",
        "unique_users": 3,
        "clicks": 5,
        "impressions": 1,
        "counts": {"click": 5, "impression": 1},
        "duplicates": 1,
        "complete_through": "2026-11-24T09:01:00.000Z",
        "lag": 0,
        "lost": 0,
        "final": False,
    }


async def test_a_span_of_one_hour_says_what_the_hour_says() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, f"/v1/totals?from={HOUR}&to={HOUR + HOUR_MS}")
        one = await asked(client, f"/v1/hours/{format_hour(HOUR)}")
    for name in told.keys() & one.keys():
        assert told[name] == one[name]


async def test_by_default_a_span_is_24_hours_and_the_current_one_is_its_last() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/totals")
    assert (told["from"], told["to"], told["unique_users"]) == (
        format_hour(HOUR - 23 * HOUR_MS),
        format_hour(HOUR + HOUR_MS),
        3,
    )


async def test_dates_are_those_of_the_zone() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/totals?from=2026-11-24&to=2026-11-25&tz=Europe/Berlin")
        assert (told["from"], told["to"]) == ("2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z")
        told = await asked(client, "/v1/totals?from=2026-11-24T14:00&to=2026-11-24T15:00&tz=Europe/Berlin")
        assert told["from"] == "2026-11-24T13:00:00Z"


async def test_each_day_of_a_zone_has_a_row_with_its_own_users() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/days?from=2026-11-22&to=2026-11-25&tz=Europe/Berlin")
    assert [(row["day"], row["unique_users"], row["clicks"], row["hours"]) for row in told["days"]] == [
        ("2026-11-22", 0, 0, 24),
        ("2026-11-23", 2, 1, 24),
        ("2026-11-24", 3, 4, 24),
    ]
    assert [row["final"] for row in told["days"]] == [True, True, False]
    assert (told["tz"], told["final"], told["lag"]) == ("Europe/Berlin", False, 0)


async def test_by_default_there_are_seven_days_and_today_is_the_last() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/days")
        assert [row["day"] for row in told["days"]] == [f"2026-11-{day}" for day in range(18, 25)]
        auckland = await asked(client, "/v1/days?tz=Pacific/Auckland")
        assert auckland["days"][-1]["day"] == "2026-11-24"


async def test_days_have_as_many_hours_as_their_zone_gives_them() -> None:
    async with serving(await two_days()) as client:
        told = await asked(client, "/v1/days?from=2026-10-24&to=2026-10-27&tz=Europe/Berlin")
    assert [row["hours"] for row in told["days"]] == [24, 25, 24]


async def test_days_are_written_as_csv_and_ndjson_too() -> None:
    async with serving(await two_days()) as client:
        as_csv = await client.get("/v1/days?from=2026-11-23&to=2026-11-24&format=csv")
        as_ndjson = await client.get(
            "/v1/days?from=2026-11-23&to=2026-11-25", headers={"Accept": "application/x-ndjson"}
        )
    assert as_csv.text == (
        "day,timestamp,unique_users,clicks,impressions,actions,duplicates,hours,final\r\n"
        "2026-11-23,1795392000000,2,1,1,2,0,24,true\r\n"
    )
    assert as_ndjson.text.count("\n") == 2


@pytest.mark.parametrize(
    ("url", "code", "field"),
    [
        ("/v1/days?tz=Asia/Kolkata", "zone_off_the_hour", "tz"),
        ("/v1/totals?from=2026-11-24&to=2026-11-25&tz=Asia/Kolkata", "span_within_an_hour", "to"),
        ("/v1/days?tz=Europe/Atlantis", "zone_unknown", "tz"),
        ("/v1/days?tz=../../etc/passwd", "zone_unknown", "tz"),
        ("/v1/days?tz=", "zone_unknown", "tz"),
        ("/v1/days?tz=Factory", "zone_unknown", "tz"),
        ("/v1/totals?tz=posixrules", "zone_unknown", "tz"),
        ("/v1/days?tz=Europe%00", "zone_unknown", "tz"),
        ("/v1/days?tz=Europe", "zone_unknown", "tz"),
        ("/v1/days?tz=__init__/x", "zone_unknown", "tz"),
        (f"/v1/days?tz={'a/' * 2_000}b", "zone_unknown", "tz"),
        ("/v1/days?tz=UTC&tz=UTC", "parameter_repeated", "tz"),
        ("/v1/days?from=2026-11-24T00", "date_malformed", "from"),
        ("/v1/days?from=2026-11-31", "date_malformed", "from"),
        ("/v1/days?from=2026-11-24&to=2026-11-24", "span_empty", "from"),
        # Samoa crossed the date line.
        ("/v1/days?from=2011-12-30&to=2011-12-31&tz=Pacific/Apia", "span_empty", "from"),
        ("/v1/days?from=2026-01-01&to=2026-02-02", "span_too_long", "from"),
        ("/v1/days?from=1970-01-01&to=1970-01-02&tz=Europe/Berlin", "span_out_of_range", "from"),
        ("/v1/days?from=0001-01-01&to=0001-01-02", "span_out_of_range", "to"),
        ("/v1/days?to=9999-12-31", "span_out_of_range", "to"),
        ("/v1/totals?from=2024-01-01&to=2026-01-01", "span_too_long", "from"),
        ("/v1/totals?from=x", "instant_malformed", "from"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_the_evidence(url: str, code: str, field: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(url)
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (400, code, field)


async def test_a_zone_off_the_hour_is_told_why() -> None:
    async with serving(AggregatorFixture()) as client:
        told = (await client.get("/v1/days?tz=Asia/Kolkata&from=2026-11-24&to=2026-11-25")).json()
    assert told["rule"] == (
        "a day begins on an hour of UTC, by which numbers are kept: "
        "2026-11-24 of Asia/Kolkata begins at 18:30 UTC, not on an hour of UTC"
    )


async def test_what_is_final_is_not_sent_again_until_a_late_action_changes_it() -> None:
    fixture = await two_days()
    async with serving(fixture) as client:
        for url in ("/v1/totals?from=2026-11-23&to=2026-11-24", "/v1/days?from=2026-11-23&to=2026-11-24"):
            first = await client.get(url)
            fixture.now += 10_000
            again = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
            assert (first.status_code, again.status_code) == (200, 304)
            fixture.append(0, click(f"late-{fixture.now}", hour=HOUR - DAY))
            await fixture.count(0)
            fixture.now += 10_000
            changed = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
            assert changed.status_code == 200
