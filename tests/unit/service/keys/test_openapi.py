"""Where keys are on, OpenAPI says so of each path that needs one, and the answers are as it says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from aggregator.app import create_app as create_aggregator
from aggregator.settings import AggregatorSettings
from ingest_api.app import create_app as create_ingest_api
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from support.fixtures.aggregator import AggregatorFixture
from support.fixtures.keys import bearer, key_of, write_keys

KEYS = [
    key_of("uac_none", "backfill", "write", name="none", requests_per_second=0.0001),
    key_of("uac_spent", "write", "read", "admin", requests_per_second=0.0001),
]
OPEN = {"/healthz", "/readyz"}


def ingest_api(keys: Path | None) -> FastAPI:
    return create_ingest_api(IngestSettings(keys_file=keys), MemoryPublisher())


def aggregator(keys: Path | None) -> FastAPI:
    fixture = AggregatorFixture()
    return create_aggregator(AggregatorSettings(keys_file=keys), fixture.store, fixture.end_offsets, fixture.clock)


@pytest.fixture(params=[ingest_api, aggregator])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> FastAPI:
    made: FastAPI = request.param(write_keys(tmp_path / "keys", KEYS))
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as one:
        yield one


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method): told for path, all_ in document["paths"].items() for method, told in all_.items()}


@pytest.mark.parametrize("service", [ingest_api, aggregator])
def test_without_keys_nothing_is_said_of_them(service: Any) -> None:  # noqa: ANN401 - either of the two
    document = service(None).openapi()
    assert "securitySchemes" not in document["components"]
    assert all("security" not in told and "401" not in told["responses"] for told in operations(document).values())


def test_each_way_to_send_a_key_is_a_scheme_that_is_defined(app: FastAPI) -> None:
    document = app.openapi()
    defined = set(document["components"]["securitySchemes"])
    used = {name for told in operations(document).values() for way in told.get("security", []) for name in way}
    assert used == defined >= {"bearer", "header", "basic"}


def test_only_beacons_and_images_may_send_a_key_in_the_address(tmp_path: Path) -> None:
    document = ingest_api(write_keys(tmp_path / "keys", KEYS)).openapi()
    in_query = {
        path
        for (path, _), told in operations(document).items()
        if any(name.startswith("query_") for way in told.get("security", []) for name in way)
    }
    assert in_query == {"/analytics", "/v1/actions", "/v1/pixel.gif", "/beacon/v1/batch"}


async def test_each_path_answers_as_is_said_with_no_key_with_one_that_may_not_and_with_one_that_is_used_up(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    await client.get("/nowhere", headers=bearer("uac_spent"))
    for (path, method), told in operations(app.openapi()).items():
        if path in OPEN:
            assert "security" not in told
            continue
        (scope,) = {scope for way in told["security"] for scopes in way.values() for scope in scopes}
        refused = [await client.request(method, path, headers=one) for one in ({}, bearer("uac_spent"))]
        if scope != "write":
            refused.append(await client.request(method, path, headers=bearer("uac_none")))
        for answer in refused:
            documented = told["responses"][str(answer.status_code)]
            assert list(documented["content"]) == [answer.headers["content-type"]]
            assert {name.lower() for name in documented["headers"]} <= answer.headers.keys()
        assert [answer.status_code for answer in refused] == [401, 429, 403][: len(refused)]
