"""One action in each of very many hours: each hour is a window, in the store for as long as hours are kept."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from contract.hour import HOUR_MS, format_hour
from ingest_api.app import create_app
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
LINES = 10_000
BATCHES = 10
AT_MOST = 1_000


@pytest.fixture
def log() -> MemoryPublisher:
    return MemoryPublisher()


@pytest.fixture
async def client(log: MemoryPublisher) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(IngestSettings(), log, clock=lambda: NOW)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as one:
        yield one


def timestamp(hour: int) -> int:
    return NOW - hour * HOUR_MS


def native(hours: range) -> tuple[str, bytes, dict[str, str]]:
    lines = [{"timestamp": timestamp(hour), "user": "u", "event": "click"} for hour in hours]
    return "/v1/actions", "\n".join(map(json.dumps, lines)).encode(), {}


def an_array(hours: range) -> tuple[str, bytes, dict[str, str]]:
    path, body, headers = native(hours)
    return path, b"[" + body.replace(b"\n", b",") + b"]", headers


def cloud_events(hours: range) -> tuple[str, bytes, dict[str, str]]:
    events = [
        {
            "specversion": "1.0",
            "id": str(hour),
            "source": "/attack",
            "type": "com.example.click",
            "subject": "u",
            "time": format_hour(timestamp(hour) // HOUR_MS * HOUR_MS),
        }
        for hour in hours
    ]
    return "/v1/events", json.dumps(events).encode(), {"Content-Type": "application/cloudevents-batch+json"}


def calls(hours: range) -> tuple[str, bytes, dict[str, str]]:
    batch = [{"type": "page", "userId": "u", "messageId": str(hour), "timestamp": timestamp(hour)} for hour in hours]
    return "/v1/batch", json.dumps({"batch": batch}).encode(), {}


@pytest.mark.parametrize("wire", [native, an_array, cloud_events, calls], ids=lambda wire: wire.__name__)
async def test_100000_hours_in_ten_batches_are_refused_and_nothing_of_them_is_published(
    client: httpx.AsyncClient, log: MemoryPublisher, wire: object
) -> None:
    assert callable(wire)
    for number in range(BATCHES):
        path, body, headers = wire(range(number * LINES, (number + 1) * LINES))
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_hours")
    assert log.published == []

    path, body, headers = wire(range(AT_MOST))
    assert (await client.post(path, content=body, headers=headers)).status_code == 200
    assert len(log.published) == AT_MOST
