from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from aggregator.app import create_app
from aggregator.settings import AggregatorSettings
from support.fixtures.aggregator import HOUR, AggregatorFixture

EVERY_ROUTE = {
    "/analytics": ["text/plain"],
    "/v1/hours/{hour}": ["application/json"],
    "/v1/hours": ["application/json", "text/csv", "application/x-ndjson"],
    "/v1/live": ["text/event-stream"],
    "/v1/totals": ["application/json"],
    "/v1/days": ["application/json", "text/csv", "application/x-ndjson"],
    "/v1/ledger": ["application/json"],
    "/healthz": ["application/json"],
    "/readyz": ["application/json"],
    "/metrics": ["text/plain"],
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    fixture = AggregatorFixture()
    app = create_app(AggregatorSettings(), fixture.store, fixture.end_offsets, fixture.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.fixture
async def openapi(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


async def test_the_docs_are_served(client: httpx.AsyncClient) -> None:
    assert "swagger" in (await client.get("/docs")).text


def test_every_route_is_described_with_what_it_answers(openapi: dict[str, Any]) -> None:
    described = {
        path: list(methods["get"]["responses"]["200"]["content"]) for path, methods in openapi["paths"].items()
    }

    assert described == EVERY_ROUTE


def test_the_timestamp_is_described_as_it_is_checked(openapi: dict[str, Any]) -> None:
    timestamp, *_ = openapi["paths"]["/analytics"]["get"]["parameters"]

    assert (timestamp["name"], timestamp["in"], timestamp["required"]) == ("timestamp", "query", True)
    assert timestamp["schema"]["type"] == "integer"
    assert (timestamp["schema"]["minimum"], timestamp["schema"]["exclusiveMaximum"]) == (0, 4_102_444_800_000)


@pytest.mark.parametrize("path", ["/analytics", "/v1/hours/{hour}"])
def test_the_errors_of_an_answer_are_described_as_problems(openapi: dict[str, Any], path: str) -> None:
    responses = openapi["paths"][path]["get"]["responses"]

    assert set(responses) == {"200", "202", "400", "500", "503", "default"}
    for status in ("400", "500", "503", "default"):
        assert list(responses[status]["content"]) == ["application/problem+json"]
        schema = responses[status]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}
    problem = openapi["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "code"} <= problem["properties"].keys()
    assert "Retry-After" in responses["503"]["headers"]


async def test_an_answer_has_the_headers_and_the_fields_that_are_described(
    client: httpx.AsyncClient, openapi: dict[str, Any]
) -> None:
    answer = await client.get(f"/v1/hours/{2026}-11-24T09")
    classic = await client.get(f"/analytics?timestamp={HOUR}")

    for path, found in (("/v1/hours/{hour}", answer), ("/analytics", classic)):
        described = openapi["paths"][path]["get"]["responses"]["200"]["headers"]
        assert {name.lower() for name in described} <= set(found.headers)
    fields = openapi["components"]["schemas"]["HourAnswer"]
    assert set(fields["properties"]) == set(fields["required"]) == set(answer.json())


async def test_the_ledger_has_the_fields_that_are_described(client: httpx.AsyncClient, openapi: dict[str, Any]) -> None:
    ledger = (await client.get("/v1/ledger")).json()

    for schema, found in {
        "Ledger": ledger,
        "PartitionLedger": ledger["partitions"][0],
        "LedgerTotals": ledger["totals"],
    }.items():
        described = openapi["components"]["schemas"][schema]
        assert set(described["properties"]) == set(described["required"]) == set(found)
    assert set(openapi["paths"]["/v1/ledger"]["get"]["responses"]) == {"200", "500", "503", "default"}


@pytest.mark.parametrize("path", ["/v1/totals", "/v1/days"])
def test_spans_that_are_added_up_take_a_zone(openapi: dict[str, Any], path: str) -> None:
    described = openapi["paths"][path]["get"]
    assert {"from", "to", "tz"} <= {one["name"] for one in described["parameters"]}
    assert set(described["responses"]) == {"200", "202", "304", "400", "500", "503", "default"}


async def test_the_rows_of_a_span_have_the_fields_and_its_answer_the_headers_that_are_described(
    client: httpx.AsyncClient, openapi: dict[str, Any]
) -> None:
    answer = await client.get("/v1/hours?from=2026-11-24&to=2026-12-31")
    described = openapi["paths"]["/v1/hours"]["get"]
    assert {name.lower() for name in described["responses"]["200"]["headers"]} <= set(answer.headers)
    assert [one["name"] for one in described["parameters"]] == ["from", "to", "format", "after", "wait"]
    assert set(described["responses"]) == {"200", "202", "304", "400", "500", "503", "default"}
    totals = (await client.get("/v1/totals")).json()
    days = (await client.get("/v1/days")).json()
    for schema, found in {
        "SpanAnswer": answer.json(),
        "HourRow": answer.json()["hours"][0],
        "TotalsAnswer": totals,
        "DaysAnswer": days,
        "DayRow": days["days"][0],
    }.items():
        fields = openapi["components"]["schemas"][schema]
        assert set(fields["properties"]) == set(fields["required"]) == set(found)


@pytest.mark.parametrize(
    "schema",
    [
        "HourAnswer",
        "SpanAnswer",
        "HourRow",
        "TotalsAnswer",
        "DaysAnswer",
        "DayRow",
        "Ledger",
        "PartitionLedger",
        "LedgerTotals",
    ],
)
def test_every_field_says_what_it_means(openapi: dict[str, Any], schema: str) -> None:
    def undescribed() -> Iterator[str]:
        for name, field in openapi["components"]["schemas"][schema]["properties"].items():
            if not field.get("description"):
                yield name

    assert not list(undescribed())
