"""Pages of listed origins may send actions and read every answer; for all others nothing changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.errors import NotPublished
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
SHOP = "https://shop.example"
NEWS = "http://news.example:8000"
GOOD = f"/analytics?timestamp={NOW}&user=u&event=click"
LINE = encode_action(Action(NOW, "u", "click"))
CORS = ("access-control-allow-origin", "access-control-allow-credentials", "timing-allow-origin")


class Api:
    def __init__(self, app: FastAPI, log: MemoryPublisher, client: httpx.AsyncClient) -> None:
        self.app = app
        self.log = log
        self.client = client

    async def send(self, method: str, target: str, origin: str | None, **more: str) -> httpx.Response:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return await self.client.request(method, target, headers=headers | ({"Origin": origin} if origin else {}))

    async def preflight(self, path: str, origin: str, method: str = "POST", headers: str = "") -> httpx.Response:
        asked = {"access_control_request_method": method}
        return await self.send(
            "OPTIONS", path, origin, **asked, **({"access_control_request_headers": headers} if headers else {})
        )

    def paths(self) -> set[str]:
        """Where actions are taken in."""
        told = self.app.openapi()["paths"].items()
        return {path for path, methods in told if any("actions" in one["tags"] for one in methods.values())}


@asynccontextmanager
async def opened(*origins: str) -> AsyncIterator[Api]:
    log = MemoryPublisher()
    app = create_app(IngestSettings(ingest_origins=origins), log, clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield Api(app, log, client)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with opened(SHOP, NEWS) as one:
        yield one


def cors(answer: httpx.Response) -> list[str | None]:
    return [answer.headers.get(name) for name in CORS]


@pytest.mark.parametrize("origin", [SHOP, NEWS])
async def test_a_page_of_a_listed_origin_may_read_the_answer_with_its_credentials(api: Api, origin: str) -> None:
    answer = await api.send("POST", GOOD, origin)
    assert answer.status_code == 204
    assert cors(answer) == [origin, "true", origin]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://other.example", "http://shop.example", f"{SHOP}:8443", f"{SHOP}.evil.example", "null", None]
)
async def test_for_all_others_an_action_counts_and_its_answer_is_as_without_the_setting(
    api: Api, origin: str | None
) -> None:
    answer = await api.send("POST", GOOD, origin)
    assert answer.status_code == 204
    assert cors(answer) == [None, None, None]
    assert "vary" not in answer.headers
    assert len(api.log.published) == 1


async def test_by_default_no_origin_is_listed() -> None:
    async with opened() as api:
        assert cors(await api.send("POST", GOOD, SHOP)) == [None, None, None]
        assert cors(await api.preflight("/v1/actions", SHOP)) == [None, None, None]


async def test_with_a_star_every_origin_is_allowed_but_none_its_credentials() -> None:
    async with opened("*") as api:
        for origin in (SHOP, "null"):
            assert cors(await api.send("POST", GOOD, origin)) == ["*", None, "*"]
            assert cors(await api.preflight("/v1/actions", origin)) == ["*", None, "*"]
        assert cors(await api.send("POST", GOOD, None)) == [None, None, None]


async def test_a_preflight_is_answered_for_each_path_that_takes_actions_and_publishes_nothing(api: Api) -> None:
    assert {"/analytics", "/v1/actions"} <= api.paths()
    for path in api.paths():
        answer = await api.preflight(path, SHOP, headers="content-type")
        assert answer.is_success, path
        assert cors(answer) == [SHOP, "true", SHOP]
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert int(answer.headers["access-control-max-age"]) > 0
    assert api.log.published == []


@pytest.mark.parametrize(
    "headers", ["content-type", "authorization,x-retry-count", "anonymousid, authorization, content-type, sentat"]
)
async def test_whatever_headers_a_page_asks_for_it_may_send(api: Api, headers: str) -> None:
    answer = await api.preflight("/v1/actions", SHOP, headers=headers)
    assert answer.headers["access-control-allow-headers"] == headers
    assert "Access-Control-Request-Headers" in answer.headers["vary"]


async def test_a_preflight_of_an_origin_that_is_not_listed_is_an_options_request_like_any_other(api: Api) -> None:
    for path in api.paths():
        asked, plain = await api.preflight(path, "https://other.example"), await api.send("OPTIONS", path, None)
        assert (asked.status_code, asked.headers, asked.content) == (plain.status_code, plain.headers, plain.content)


async def test_what_does_not_take_actions_is_not_opened_to_pages(api: Api) -> None:
    for path in ("/healthz", "/metrics", "/nowhere"):
        assert cors(await api.send("GET", path, SHOP)) == [None, None, None]


async def test_a_page_may_read_errors_too_and_when_to_try_again(api: Api) -> None:
    answers = {
        400: await api.send("POST", "/analytics?user=u", SHOP),
        405: await api.send("PUT", "/v1/actions", SHOP),
        415: await api.send("POST", "/v1/actions", SHOP, content_type="text/csv"),
    }
    api.log.failure = NotPublished("away")
    answers[503] = await api.send("POST", GOOD, SHOP)
    api.log.failure, api.log.published = None, None  # type: ignore[assignment] # an error that nobody thought of
    answers[500] = await api.send("POST", GOOD, SHOP)

    for status, answer in answers.items():
        assert answer.status_code == status
        assert cors(answer) == [SHOP, "true", SHOP], status
        assert answer.headers["content-type"] == "application/problem+json"
    assert "Retry-After" in answers[503].headers["access-control-expose-headers"]


async def test_a_batch_of_a_page_is_taken_and_its_answer_is_readable(api: Api) -> None:
    headers = {"Origin": SHOP, "Content-Type": "text/plain;charset=UTF-8"}
    answer = await api.client.post("/v1/actions", content=LINE, headers=headers)
    assert answer.json() == {"accepted": 1, "rejected": []}
    assert cors(answer) == [SHOP, "true", SHOP]
