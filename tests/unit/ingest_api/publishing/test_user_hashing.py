"""No user's name gets past the door: by whatever way it comes in."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from contract.log.action import Action
from ingest_api.app import create_app
from ingest_api.http.server.fast_path_protocol import SUBMIT_SINGLE
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.publishing.publisher import OnDelivered
from ingest_api.publishing.user_hashing import HashingPublisher
from ingest_api.settings import IngestSettings

NOW = 1_800_000_000_000
USER = "émile@example.org"
KEY = b"0123456789abcdef0123456789abcdef0123456789abcdef"
EVENT = {
    "specversion": "1.0", "id": "1", "source": "/s", "type": "org.example.click", "subject": USER,
    "time": "2027-01-15T08:00:00Z",
}  # fmt: skip
CALL = {"type": "track", "event": "Clicked", "userId": USER, "messageId": "1", "timestamp": NOW}
ACTION = {"timestamp": NOW, "user": USER, "event": "click"}
QUERY = {key: str(value) for key, value in ACTION.items()}
DOORS: dict[str, tuple[str, str, Mapping[str, Any]]] = {
    "query": ("POST", "/analytics", {"params": QUERY}),
    "form": ("POST", "/analytics", {"data": QUERY}),
    "pixel": ("GET", "/v1/pixel.gif", {"params": QUERY}),
    "lines": ("POST", "/v1/actions", {"content": json.dumps(ACTION)}),
    "array": ("POST", "/v1/actions", {"json": [ACTION]}),
    "segment batch": ("POST", "/v1/batch", {"json": {"batch": [CALL]}}),
    "segment call": ("POST", "/v1/track", {"json": CALL}),
    "event": ("POST", "/v1/events", {"json": EVENT, "headers": {"content-type": "application/cloudevents+json"}}),
    "events": (
        "POST", "/v1/events", {"json": [EVENT], "headers": {"content-type": "application/cloudevents-batch+json"}}
    ),
    "events as actions": (
        "POST", "/v1/actions", {"json": [EVENT], "headers": {"content-type": "application/cloudevents-batch+json"}}
    ),
}  # fmt: skip


def independently(user: str) -> str:
    """BLAKE2b with a key, as RFC 7693 defines it: the key's block, then the text."""
    return hashlib.blake2b(user.encode(), digest_size=16, key=KEY).hexdigest()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\n")
    return file


@pytest.fixture
def log() -> MemoryPublisher:
    return MemoryPublisher()


@pytest.fixture
async def client(log: MemoryPublisher, key_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(IngestSettings(ingest_user_hash_key_file=key_file), log, clock=lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        yield client


@pytest.mark.parametrize("door", DOORS)
async def test_through_every_door_a_user_becomes_the_keyed_hash_of_it(
    client: httpx.AsyncClient, log: MemoryPublisher, door: str
) -> None:
    method, path, content = DOORS[door]
    answer = await client.request(method, path, **content)
    assert answer.status_code in {200, 202, 204}, answer.text
    (action,) = log.published
    assert action.user == independently(USER)
    assert (action.timestamp, action.event) == (NOW, "click")


async def test_each_path_that_takes_actions_is_among_the_doors(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    tried = {path for _, path, _ in DOORS.values()}
    doors = {path for path, methods in paths.items() if "post" in methods} | {"/v1/pixel.gif"}
    segment = {path for path in doors if "sdks" in paths[path].get("post", {}).get("tags", ()) and path != "/v1/events"}
    assert doors - segment <= tried
    assert segment & tried


async def test_the_other_fields_stay_as_they_are(client: httpx.AsyncClient, log: MemoryPublisher) -> None:
    sent = [ACTION | {"timestamp": NOW - index, "user": f"u{index % 2}", "id": str(index)} for index in range(4)]
    await client.post("/v1/actions", json=sent)
    assert [(action.timestamp, action.event, action.id) for action in log.published] == [
        (one["timestamp"], one["event"], one["id"]) for one in sent
    ]
    assert [action.user for action in log.published] == [independently(str(one["user"])) for one in sent]


async def test_past_the_framework_too(key_file: Path, log: MemoryPublisher) -> None:
    app = create_app(IngestSettings(ingest_user_hash_key_file=key_file), log, clock=lambda: NOW)
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        state[SUBMIT_SINGLE](urlencode(QUERY).encode(), [], lambda _: None)
    assert [action.user for action in log.published] == [independently(USER)]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"too-short-to-be-a-key", "the file holds 21 bytes; a key has 32 to 64"),
        (b"k" * 65, "the file holds 65 bytes; a key has 32 to 64"),
    ],
)
def test_a_file_without_a_key_is_refused_and_what_it_holds_is_not_shown(
    tmp_path: Path, content: bytes | None, rule: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=rule) as raised:
        IngestSettings(ingest_user_hash_key_file=file)
    assert content is None or content.decode() not in str(raised.value)


def test_a_publisher_that_takes_a_part_at_a_time_has_each_user_hashed() -> None:
    class InParts(MemoryPublisher):
        def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
            super().submit([*actions[:2], *actions[2:3], actions[3]], on_delivered)

    parts = InParts()
    users = [f"user-{number}" for number in range(4)]
    HashingPublisher(parts, KEY).submit([Action(NOW, user, "click") for user in users], lambda _: None)
    assert [action.user for action in parts.published] == list(map(independently, users))
