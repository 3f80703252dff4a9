"""With keys on, each way to send actions needs one, and is judged by what it allows."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from ingest_api.app import create_app
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from support.fixtures.keys import bearer, key_of, write_keys

NOW = 1_800_000_000_000
HOUR = 3_600_000
SHOP = "https://shop.example"
QUERY = f"timestamp={NOW}&user=u&event=click"
LINE = json.dumps({"timestamp": NOW, "user": "u", "event": "click"})
CALL = json.dumps({"userId": "u", "event": "Clicked", "messageId": "m", "timestamp": NOW})
CALLS = json.dumps({"batch": [{**json.loads(CALL), "type": "track"}]})
CLOUD_EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "click", "ce-subject": "u"}

OPEN = {"/healthz", "/readyz", "/openapi.json", "/docs"}
KEYS = [
    key_of("uac_write", "write"),
    key_of("uac_read", "read"),
    key_of("uac_admin", "admin"),
    key_of("uac_import", "write", "backfill"),
    key_of("uac_views", "write", events=("impression",)),
    key_of("uac_page", "write", origins=(SHOP,)),
    key_of("uac_ten", "write", actions_per_second=10),
    key_of("uac_once", "write", requests_per_second=1),
    key_of("uac_hour", "write", hours=1),
]


class Api:
    """The app with keys, at its own paths and under /api, where only the routes see requests."""

    def __init__(self, keys: Path) -> None:
        self.log = MemoryPublisher()
        self.metrics = Metrics()
        settings = IngestSettings(keys_file=keys, ingest_oldest=timedelta(days=7), ingest_origins=(SHOP,))
        self.app = create_app(settings, self.log, self.metrics, clock=lambda: NOW)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        mounted = httpx.ASGITransport(Starlette(routes=[Mount("/api", self.app)]), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://api")
        self.mounted = httpx.AsyncClient(transport=mounted, base_url="http://api/api")

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    one = Api(write_keys(tmp_path / "keys", KEYS))
    async with one.client, one.mounted:
        yield one


Send = Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[httpx.Response]]
WAYS: dict[str, Send] = {
    "single": lambda client, headers: client.post(f"/analytics?{QUERY}", headers=headers),
    "form": lambda client, headers: client.post(
        "/analytics", content=QUERY, headers={**headers, "Content-Type": "application/x-www-form-urlencoded"}
    ),
    "pixel": lambda client, headers: client.get(f"/v1/pixel.gif?{QUERY}", headers=headers),
    "batch": lambda client, headers: client.post("/v1/actions", content=LINE, headers=headers),
    "event": lambda client, headers: client.post("/v1/events", headers={**headers, **CLOUD_EVENT}),
    "event in a batch": lambda client, headers: client.post(
        "/v1/actions",
        json=[{name[3:]: value for name, value in CLOUD_EVENT.items()}],
        headers={**headers, "Content-Type": "application/cloudevents-batch+json"},
    ),
    "call": lambda client, headers: client.post("/v1/track", content=CALL, headers=headers),
    "calls": lambda client, headers: client.post("/v1/batch", content=CALLS, headers=headers),
}


@pytest.mark.parametrize("way", WAYS)
async def test_an_action_comes_in_with_a_key_that_writes_and_with_no_other(api: Api, way: str) -> None:
    for client in (api.client, api.mounted):
        missing, unknown, reads = [
            await WAYS[way](client, headers) for headers in ({}, bearer("uac_other"), bearer("uac_read"))
        ]
        assert [one.status_code for one in (missing, unknown, reads)] == [401, 401, 403]
        assert [one.json()["code"] for one in (missing, unknown, reads)] == [
            "key_missing",
            "key_unknown",
            "scope_missing",
        ]
        assert all(one.headers["WWW-Authenticate"].startswith("Bearer ") for one in (missing, unknown, reads))
        assert all(one.headers["Content-Type"] == "application/problem+json" for one in (missing, unknown, reads))
        assert api.log.published == []
        assert (await WAYS[way](client, bearer("uac_write"))).is_success
        assert len(api.log.published) == 1
        api.log.published.clear()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "uac_write"},
        {"Authorization": f"Basic {b64encode(b'uac_write:').decode()}"},
        {"authorization": "bearer uac_write"},
    ],
)
async def test_a_key_comes_in_the_headers_that_clients_have(api: Api, headers: dict[str, str]) -> None:
    assert (await WAYS["batch"](api.client, headers)).status_code == 200


async def test_no_path_that_is_not_open_answers_without_a_key(api: Api) -> None:
    paths = {*api.app.openapi()["paths"], *SEGMENT_PATHS, "/nowhere", "/healthz/", "//metrics"}
    assert paths > OPEN - {"/docs", "/openapi.json"}
    for path in paths | OPEN:
        answers = [await api.client.request(method, path) for method in ("GET", "POST", "HEAD", "PUT")]
        refused = {answer.status_code == 401 for answer in answers}
        assert refused == {path not in OPEN}, path


async def test_metrics_are_for_the_scope_admin(api: Api) -> None:
    assert (await api.client.get("/metrics", headers=bearer("uac_write"))).status_code == 403
    assert (await api.client.get("/metrics", headers=bearer("uac_admin"))).status_code == 200
    assert (await api.mounted.get("/metrics", headers=bearer("uac_write"))).status_code == 403
    # A route takes a newline at the end for the end.
    assert (await api.client.get("/metrics%0A", headers=bearer("uac_write"))).status_code == 403


async def test_beacons_and_images_bring_their_key_in_the_address(api: Api) -> None:
    page = {"Origin": SHOP}
    answers = [
        await api.client.post(f"/analytics?{QUERY}&key=uac_page", headers=page),
        await api.client.post("/v1/actions?key=uac_page&strict=true", content=LINE, headers=page),
        await api.client.post("/beacon/v1/batch?writeKey=uac_page", content=CALLS, headers=page),
        await api.client.get(f"/v1/pixel.gif?{QUERY}&key=uac_page", headers={"Referer": f"{SHOP}/cart"}),
        await api.client.get(f"/v1/pixel.gif?{QUERY}&key=uac_write"),
    ]
    assert [answer.is_success for answer in answers] == [True] * 5
    assert len(api.log.published) == 5


async def test_a_key_in_the_address_is_taken_nowhere_else(api: Api) -> None:
    for path in ("/v1/events", "/v1/track", "/v1/batch"):
        assert (await api.client.post(f"{path}?key=uac_write&writeKey=uac_write")).status_code == 401
    refused = await api.client.post(f"/analytics?{QUERY}&key=uac_import")
    assert (refused.status_code, refused.json()["code"]) == (403, "key_in_url")


async def test_a_page_may_ask_first_without_a_key_and_read_why_it_was_refused(api: Api) -> None:
    asked = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-api-key",
    }
    preflight = await api.client.options("/v1/actions", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-headers"] == "authorization,x-api-key"
    refused = await api.client.post("/v1/actions", content=LINE, headers={"Origin": SHOP, **bearer("uac_other")})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, SHOP)


async def test_without_keys_a_key_is_not_looked_at_wherever_it_stands() -> None:
    app = create_app(IngestSettings(), MemoryPublisher(), clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        for way in WAYS.values():
            assert (await way(client, bearer("any"))).is_success
        assert (await client.post(f"/analytics?{QUERY}&key=any&key=more")).status_code == 204
        assert (await client.post("/v1/actions?key=any", content=LINE)).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


async def test_an_old_action_is_rejected_by_itself_unless_the_key_backfills(api: Api) -> None:
    old = LINE.replace(str(NOW), str(NOW - 8 * 24 * HOUR))
    refused = (await api.client.post("/v1/actions", content=f"{LINE}\n{old}", headers=bearer("uac_write"))).json()
    assert (refused["accepted"], refused["rejected"][0]["code"]) == (1, "timestamp_too_old")
    assert "scope backfill" in refused["rejected"][0]["message"]
    taken = (await api.client.post("/v1/actions", content=f"{LINE}\n{old}", headers=bearer("uac_import"))).json()
    assert taken == {"accepted": 2, "rejected": []}


@pytest.mark.parametrize("way", WAYS)
async def test_an_event_that_the_key_may_not_send_is_rejected_on_each_way(api: Api, way: str) -> None:
    await WAYS[way](api.client, bearer("uac_views"))
    assert api.log.published == []
    assert api.count("collector_ingest_actions_rejected_total", code="event_not_allowed") == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_hour_beyond_those_that_a_key_may_touch_is_rejected_on_each_way(api: Api, way: str) -> None:
    first = f"/analytics?{QUERY.replace(str(NOW), str(NOW - HOUR))}"
    assert (await api.client.post(first, headers=bearer("uac_hour"))).status_code == 204
    if way.startswith("event"):
        return  # their time is when they arrive
    await WAYS[way](api.client, bearer("uac_hour"))
    assert len(api.log.published) == 1
    assert api.count("collector_ingest_actions_rejected_total", code="hours_exceeded") == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_batch_beyond_the_rate_passes_whole_and_what_follows_waits(api: Api, way: str) -> None:
    batch = "\n".join([LINE] * 100)
    assert (await api.client.post("/v1/actions", content=batch, headers=bearer("uac_ten"))).status_code == 200
    refused = await WAYS[way](api.client, bearer("uac_ten"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_exceeded")
    assert 8 <= int(refused.headers["Retry-After"]) <= 10
    assert len(api.log.published) == 100
    assert (await WAYS[way](api.client, bearer("uac_write"))).is_success


async def test_a_request_beyond_the_rate_is_refused_before_its_body_is_read(api: Api) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("nobody may ask for it")
        yield b""

    assert (await WAYS["single"](api.client, bearer("uac_once"))).status_code == 204
    refused = await api.client.post("/v1/actions", content=unread(), headers=bearer("uac_once"))
    assert refused.status_code == 429
    refused = await api.client.post("/v1/actions", content=unread(), headers=bearer("uac_other"))
    assert refused.status_code == 401


async def test_a_refused_request_is_counted_by_its_code_and_an_sdk_finds_a_message(api: Api) -> None:
    refused = await WAYS["call"](api.client, {})
    assert refused.json()["message"] == refused.json()["detail"]
    assert api.count("collector_ingest_problems_total", code="key_missing") == 1
