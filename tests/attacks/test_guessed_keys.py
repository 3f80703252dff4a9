"""Many guesses at keys: each costs a hash and an answer, and leaves nothing behind."""

import logging
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ingest_api.app import create_app
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from service.keys import keyring
from support.fixtures.keys import bearer, key_of, write_keys

GUESSES = 2_000


class Door:
    """The ingest API with one key, and what it did."""

    def __init__(self, keys: Path) -> None:
        self.log = MemoryPublisher()
        self.metrics = Metrics()
        app = create_app(IngestSettings(keys_file=keys), self.log, self.metrics)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")

    def series(self) -> int:
        return sum(len(metric.samples) for metric in self.metrics.registry.collect())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    one = Door(write_keys(tmp_path / "keys", [key_of("uac_known", "write")]))
    async with one.client:
        yield one


async def test_guesses_cost_one_hash_each_read_no_body_and_leave_no_trace(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hashed = []
    digest_of = keyring.digest_of

    def counted(secret: bytes) -> bytes:
        hashed.append(secret)
        return digest_of(secret)

    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("a body was read before its key")
        yield b""

    monkeypatch.setattr(keyring, "digest_of", counted)
    caplog.set_level(logging.DEBUG)
    await door.client.post("/v1/actions", headers=bearer("uac_first"))
    series = door.series()
    for _ in range(GUESSES):
        guess = f"uac_{secrets.token_urlsafe(32)}"
        answer = await door.client.post("/v1/actions", headers=bearer(guess), content=never_read())
        assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")
        assert guess not in answer.text

    assert len(hashed) == 1 + GUESSES
    assert door.series() == series
    assert [record for record in caplog.records if record.name.startswith(("service", "ingest_api"))] == []
    assert door.log.published == []


async def test_a_known_key_is_let_in_in_the_midst_of_guesses(door: Door) -> None:
    action = "/analytics?timestamp=1700000000000&user=u&event=click"
    for number in range(200):
        await door.client.post(action, headers=bearer(f"uac_{number}"))
        assert (await door.client.post(action, headers=bearer("uac_known"))).status_code == 204
    assert len(door.log.published) == 200
