"""With keys on, numbers are for the scope read, the books and the metrics for admin; health is open."""

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from aggregator.http.fast_path import FastPath
from support.fixtures.aggregator import HOUR, AggregatorFixture, click, serving
from support.fixtures.keys import bearer, key_of, write_keys

ANALYTICS = f"/analytics?timestamp={HOUR}"
READS = [ANALYTICS, "/v1/hours/2026-11-24T09", "/v1/hours", "/v1/days", "/v1/totals", "/", "/nowhere"]
ADMIN = ["/v1/ledger", "/metrics"]
OPEN = ["/healthz", "/readyz", "/openapi.json", "/docs"]
KEYS = [
    key_of("uac_read", "read"),
    key_of("uac_write", "write"),
    key_of("uac_admin", "admin"),
    key_of("uac_once", "read", requests_per_second=0.001),
]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    fixture = AggregatorFixture()
    fixture.append(0, click("u"))
    await fixture.count()
    async with serving(fixture, keys=write_keys(tmp_path / "keys", KEYS)) as one:
        yield one


@pytest.mark.parametrize("path", [*READS, *ADMIN, "/v1/live"])
async def test_nothing_but_health_and_documents_answers_without_a_key(client: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        assert (await client.request(method, path)).status_code == 401
    refused = await client.get(path, headers=bearer("uac_other"))
    assert (refused.status_code, refused.json()["code"]) == (401, "key_unknown")
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", OPEN)
async def test_health_and_documents_are_open(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", READS)
async def test_numbers_are_for_the_scope_read(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=bearer("uac_read"))).status_code == (404 if path == "/nowhere" else 200)
    for key in ("uac_write", "uac_admin"):
        assert (await client.get(path, headers=bearer(key))).json()["code"] == "scope_missing"


@pytest.mark.parametrize("path", ADMIN)
async def test_books_and_metrics_are_for_the_scope_admin(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=bearer("uac_admin"))).status_code == 200
    assert (await client.get(path, headers=bearer("uac_read"))).status_code == 403
    # A route takes a newline at the end for the end.
    assert (await client.get(f"{path}%0A", headers=bearer("uac_read"))).status_code == 403


async def test_an_answer_that_is_at_hand_needs_a_key_too(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = bearer("uac_read")
    numbers = await client.get(ANALYTICS, headers=known)
    reached = []
    cached = FastPath._cached  # noqa: SLF001 - whether a request comes as far as the cache shows only there

    def noted(self: FastPath, request: object) -> object:
        reached.append(request)
        return cached(self, request)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(FastPath, "_cached", noted)
    assert (await client.get(ANALYTICS)).status_code == 401
    assert reached == []
    again = await client.get(ANALYTICS, headers=known)
    assert (again.content, len(reached)) == (numbers.content, 1)


async def test_a_key_is_not_taken_from_the_address(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{ANALYTICS}&key=uac_read")).status_code == 401


async def test_people_are_asked_for_a_key_by_their_browser_and_it_is_the_user_name(client: httpx.AsyncClient) -> None:
    asked = await client.get("/")
    assert asked.headers["WWW-Authenticate"] == 'Basic realm="collector", charset="UTF-8"'
    basic = {"Authorization": f"Basic {b64encode(b'uac_read:').decode()}"}
    assert (await client.get("/", headers=basic)).status_code == 200


async def test_reads_beyond_the_rate_are_refused_and_told_when_to_come_again(client: httpx.AsyncClient) -> None:
    assert (await client.get(ANALYTICS, headers=bearer("uac_once"))).status_code == 200
    refused = await client.get(ANALYTICS, headers=bearer("uac_once"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_exceeded")
    assert int(refused.headers["Retry-After"]) > 900


async def test_without_keys_all_is_open() -> None:
    async with serving(AggregatorFixture()) as client:
        for path in (*READS[:-1], *ADMIN, *OPEN):
            assert (await client.get(path)).status_code == 200, path
